//! The shell against small servers over loopback, each connection of which does what its row says.

use super::*;
use crate::base::{Span, Time};
use crate::edge::inbox::{Inbox, Next};
use std::sync::{Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with the next request of a connection.
#[derive(Clone, Debug)]
enum Act {
    /// Answers it with these bytes.
    Say(Vec<u8>),
    /// Answers it with these bytes and ends the connection.
    SayAndClose(Vec<u8>),
    /// Ends the connection once it has read the request.
    CloseAfter,
    /// Resets the connection at the first byte of the request.
    Reset,
    /// Reads the request and says nothing.
    Silence,
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

type Seen = Arc<Mutex<Vec<(usize, Vec<u8>)>>>;

fn look(seen: &Seen) -> MutexGuard<'_, Vec<(usize, Vec<u8>)>> {
    seen.lock().unwrap()
}

struct Scene {
    inbox: Inbox,
    http: Http,
    url: String,
    /// Requests as they came, each with the number of its connection.
    seen: Seen,
}

/// A server that does `script[n]` on its n-th connection, and refuses nothing beyond.
fn scene(script: Vec<Vec<Act>>) -> Scene {
    let inbox = Inbox::open().unwrap();
    let lines = inbox.lines();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let inside = lines.runtime.enter();
    let listener = TcpListener::from_std(listener).unwrap();
    drop(inside);
    let runtime = lines.runtime.clone();
    lines.runtime.spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let acts = script.get(number).cloned().unwrap_or_default();
            runtime.spawn(play(stream, number, acts, Arc::clone(&log)));
            number += 1;
        }
    });
    Scene { http: Http::new(4, lines), inbox, url, seen }
}

async fn play(mut stream: TcpStream, number: usize, acts: Vec<Act>, seen: Seen) {
    for act in acts {
        if let Act::Reset = act {
            stream.readable().await.unwrap();
            look(&seen).push((number, b"reset".to_vec()));
            stream.set_zero_linger().unwrap();
            return;
        }
        let Some(request) = read(&mut stream).await else { return };
        look(&seen).push((number, request));
        match act {
            Act::Say(bytes) => stream.write_all(&bytes).await.unwrap(),
            Act::SayAndClose(bytes) => return stream.write_all(&bytes).await.unwrap(),
            Act::CloseAfter | Act::Reset => return,
            Act::Silence => std::future::pending().await,
        }
    }
}

/// Head and body of one request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(head) = text.find("\r\n\r\n") {
            let length =
                text[..head].lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

impl Scene {
    fn request(&self, id: u64, method: Method, body: &[u8]) -> Request {
        Request {
            id,
            method,
            url: self.url.clone(),
            headers: Vec::new(),
            body: Body(body.to_vec()),
            timeout: Span::from_secs(20),
            keep: None,
        }
    }

    fn send(&mut self, request: Request) {
        let mut keep = |_: &Keep| panic!("nothing is to be kept");
        self.http.handle(request, &mut keep);
    }

    fn answered(&mut self) -> (Time, Response) {
        match self.inbox.next(Some(clock::now().plus(Span::from_secs(30)))) {
            Next::Input(at, Input::Http { link: 4, response }) => (at, response),
            other @ (Next::Input(..) | Next::Timeout) => panic!("no answer but {other:?}"),
        }
    }

    fn post(&mut self, id: u64, body: &str) -> Result<Answer, Failure> {
        self.send(self.request(id, Method::Post, body.as_bytes()));
        let (_, response) = self.answered();
        assert_eq!(response.id, id);
        response.outcome
    }

    /// Lets the sockets move until the server has seen this many requests.
    fn until_seen(&mut self, requests: usize) {
        while look(&self.seen).len() < requests {
            assert_eq!(self.inbox.next(Some(clock::now())), Next::Timeout);
        }
    }

    /// How often this body arrived.
    fn times(&self, body: &str) -> usize {
        let found = |(_, request): &&(usize, Vec<u8>)| request.ends_with(body.as_bytes());
        look(&self.seen).iter().filter(found).count()
    }
}

#[test]
fn a_request_goes_out_as_it_is_and_its_answer_comes_back_whole() {
    let mut reply =
        b"HTTP/1.1 200 OK\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\nretry-after: 3\r\n".to_vec();
    reply.extend_from_slice(b"x-other: 1\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x00\xff");
    let mut scene = scene(vec![vec![Act::Say(reply)]]);
    // Bytes that are no text, and long enough to need several writes.
    let body: Vec<u8> = (0..2_000_000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut request = scene.request(u64::MAX, Method::Post, &body);
    request.url.push_str("tapi/v2/?a=%5B1%5D");
    let header = |name, value: &str| Header { name, value: Secret::new(value) };
    request.headers = vec![header("TAPI-MAC", "canary"), header("Content-Encoding", "gzip")];
    let before = clock::now();
    scene.send(request);
    let (at, response) = scene.answered();
    assert!(at >= before && at <= clock::now());
    assert_eq!(response.id, u64::MAX);
    let answer = response.outcome.unwrap();
    assert_eq!((answer.status, answer.body.0.as_slice()), (200, &b"\x1f\x8b\x00\xff"[..]));
    let told: Vec<(&str, &str)> =
        answer.headers.iter().map(|header| (header.name, header.value.expose())).collect();
    assert_eq!(told, [("date", "Wed, 21 Oct 2026 07:28:00 GMT"), ("retry-after", "3")]);
    let (_, seen) = look(&scene.seen).remove(0);
    let (head, rest) = seen.split_at(seen.len() - body.len());
    assert_eq!(rest, body, "the body is untouched");
    let head = std::str::from_utf8(head).unwrap();
    assert!(head.starts_with("POST /tapi/v2/?a=%5B1%5D HTTP/1.1\r\n"), "{head}");
    for line in ["tapi-mac: canary", "content-encoding: gzip", "content-length: 2000000"] {
        assert!(head.lines().any(|found| found == line), "{head}");
    }
    assert!(!head.contains("accept-encoding"), "nothing is inflated behind the session: {head}");
}

#[test]
fn what_comes_of_a_request() {
    let page = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\n\
                 connection: close\r\n\r\n<html>away</html>";
    let moved = b"HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 0\r\n\r\n";
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", LONGEST + 1);
    let endless = [endless.as_bytes(), &vec![b'x'; LONGEST + 1]].concat();
    for (act, expected) in [
        (Act::Say(ok("")), Ok((200, ""))),
        (Act::SayAndClose(page.to_vec()), Ok((503, "<html>away</html>"))),
        (Act::Say(moved.to_vec()), Ok((302, ""))),
        (Act::SayAndClose(half.to_vec()), Err("")),
        (Act::SayAndClose(chunked.to_vec()), Err("")),
        (Act::Say(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), Err("")),
        (Act::SayAndClose(endless), Err("longer than 16777216 bytes")),
        (Act::CloseAfter, Err("")),
        (Act::Reset, Err("")),
    ] {
        let name = format!("{act:?}").chars().take(80).collect::<String>();
        let mut scene = scene(vec![vec![act], vec![Act::Say(ok("again"))]]);
        match (scene.post(1, "once"), expected) {
            (Ok(answer), Ok((status, body))) => {
                assert_eq!((answer.status, &*answer.body.text()), (status, body), "{name}");
            }
            (Err(failure), Err(says)) => {
                assert!(!failure.unsent, "{name}: it may have arrived");
                assert!(failure.reason.contains(says), "{name}: {}", failure.reason);
                assert!(!failure.reason.contains("127.0.0.1"), "{name}: {}", failure.reason);
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
        assert_eq!(look(&scene.seen).len(), 1, "{name}: sent once");
    }
}

#[test]
fn what_certainly_did_not_leave() {
    let mut scene = scene(vec![]);
    // A port that is taken, and that nobody listens on.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = taken.local_addr().unwrap();
    for (url, says) in [
        (format!("http://{free}/"), "refused"),
        (format!("https://{free}/"), "refused"),
        // It answers, but not with a handshake.
        (scene.url.replace("http://", "https://"), "(Connect)"),
        ("http://venue.example/tapi/v2/".to_owned(), "in the clear; use https://"),
        ("http://127.0.0.1.venue.example/".to_owned(), "in the clear"),
        ("ftp://127.0.0.1/".to_owned(), "ftp:// is no address"),
        ("/tapi/v2/".to_owned(), "the address is none"),
    ] {
        let request = Request { url: url.clone(), ..scene.request(1, Method::Post, b"once") };
        scene.send(request);
        let (_, response) = scene.answered();
        let failure = response.outcome.unwrap_err();
        assert!(failure.unsent, "{url}: {}", failure.reason);
        assert!(failure.reason.contains(says), "{url}: {}", failure.reason);
    }
    assert_eq!(scene.times("once"), 0);
}

#[test]
fn silence_ends_at_the_timeout_and_is_not_repeated() {
    let mut scene = scene(vec![vec![Act::Silence], vec![Act::Silence]]);
    let timeout = Span::from_millis(50);
    let request = Request { timeout, ..scene.request(1, Method::Post, b"once") };
    let sent = clock::now();
    scene.send(request);
    let (at, response) = scene.answered();
    let failure = response.outcome.unwrap_err();
    assert!(at >= sent.plus(timeout));
    assert_eq!(failure.reason, "no whole answer within 0.05s");
    assert!(!failure.unsent);
    assert_eq!(scene.times("once"), 1);
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let mut scene = scene(vec![vec![Act::Say(ok("a")), Act::Say(ok("b")), Act::Say(ok("c"))]]);
    for (id, expected) in [(1, "a"), (2, "b"), (3, "c")] {
        assert_eq!(scene.post(id, "x").unwrap().body.text(), expected);
    }
    assert!(look(&scene.seen).iter().all(|(connection, _)| *connection == 0));
}

#[test]
fn a_kept_connection_that_ends_never_doubles_a_request() {
    // The server ends the kept connection with the second request in its hands: it may have acted
    // on it, so it must not see it again.
    for last in [Act::CloseAfter, Act::Reset] {
        let script = vec![vec![Act::Say(ok("a")), last], vec![Act::Say(ok("again"))]];
        let mut scene = scene(script);
        assert!(scene.post(1, "first").is_ok());
        let failure = scene.post(2, "second").unwrap_err();
        assert!(!failure.unsent, "{}", failure.reason);
        let seen: Vec<usize> = look(&scene.seen).iter().map(|(at, _)| *at).collect();
        assert_eq!(seen, [0, 0], "no second connection, no second copy");
    }
    // It ended while nothing was under way: the next request goes over a new one, once.
    let mut scene =
        scene(vec![vec![Act::SayAndClose(ok("a"))], vec![Act::Say(ok("b"))], vec![Act::Silence]]);
    assert!(scene.post(1, "first").is_ok());
    assert!(scene.post(2, "second").is_ok_and(|answer| answer.body.text() == "b"));
    assert_eq!((scene.times("first"), scene.times("second")), (1, 1));
}

#[test]
fn what_cannot_be_kept_does_not_leave() {
    let mut scene = scene(vec![vec![Act::Say(ok("a"))]]);
    let wanted = Keep { name: "mercadobitcoin/tonce".to_owned(), value: 7 };
    let request =
        |id| Request { keep: Some(wanted.clone()), ..scene.request(id, Method::Get, b"") };
    let (refused, kept) = (request(1), request(2));
    scene.http.handle(refused, &mut |_| anyhow::bail!("the disk is full"));
    let (_, response) = scene.answered();
    let failure = response.outcome.unwrap_err();
    assert!(failure.unsent);
    assert_eq!(failure.reason, "mercadobitcoin/tonce cannot be kept: the disk is full");
    assert_eq!(look(&scene.seen).len(), 0);
    let mut held = Vec::new();
    let seen = Arc::clone(&scene.seen);
    scene.http.handle(kept, &mut |keep| {
        assert_eq!(look(&seen).len(), 0, "kept before the first byte");
        held.push(keep.clone());
        Ok(())
    });
    assert!(scene.answered().1.outcome.is_ok());
    assert_eq!(held, [wanted]);
    scene.until_seen(1);
}

#[test]
fn requests_under_way_are_bounded() {
    let mut scene = scene(vec![vec![Act::Silence]; UNDER_WAY]);
    let bound = u64::try_from(UNDER_WAY).unwrap();
    for id in 0..=bound {
        scene.send(scene.request(id, Method::Post, b"x"));
    }
    let (_, response) = scene.answered();
    assert_eq!(response.id, bound);
    assert!(response.outcome.is_err_and(|failure| failure.unsent));
}

#[test]
fn neither_headers_nor_bodies_are_printed() {
    let scene = scene(vec![]);
    let mut request = scene.request(1, Method::Post, b"canary");
    request.headers.push(Header { name: "TAPI-MAC", value: Secret::new("canary") });
    assert!(!format!("{request:?}").contains("canary"));
    let header = ("authorization".to_owned(), "canary".to_owned());
    let served = crate::edge::inbox::Request {
        method: "POST".to_owned(),
        path: "/tapi/v2/".to_owned(),
        query: "token=canary".to_owned(),
        headers: vec![header],
        body: b"canary".to_vec(),
    };
    assert_eq!(format!("{served:?}"), "POST /tapi/v2/ <query 12, 1 headers, 6 bytes>");
}
