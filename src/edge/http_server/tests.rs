//! Requests over a real socket, answered, broken off, compressed and refused.

use super::super::inbox::{Inbox, Next};
use super::*;
use crate::base::{Span, Time};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// Sends bytes from a thread of its own; what came back until the connection ended.
fn client(address: SocketAddr, bytes: Vec<u8>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut text = String::new();
        // A reset is as good an end as any.
        drop(stream.read_to_string(&mut text));
        text
    })
}

fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("{head}Host: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// The next request, within ten seconds.
fn asked(inbox: &mut Inbox) -> (u64, Request) {
    let limit = clock::now().plus(Span::from_secs(10));
    let next = inbox.next(Some(limit));
    let Next::Input(_, Input::Served(ServedNews { conn, kind: Served::Request(request), .. })) =
        next
    else {
        panic!("{next:?}")
    };
    (conn, request)
}

/// Lets sockets move bytes until a client is done.
fn finish(inbox: &mut Inbox, client: std::thread::JoinHandle<String>) -> String {
    let limit: Time = clock::now().plus(Span::from_secs(10));
    while !client.is_finished() {
        assert!(clock::now() < limit, "the client never ended");
        inbox.next(Some(clock::now().plus(Span::from_millis(1))));
    }
    client.join().unwrap()
}

fn started() -> (Inbox, HttpServer) {
    let inbox = Inbox::open().unwrap();
    let server = HttpServer::start(3, "127.0.0.1:0".parse().unwrap(), inbox.lines()).unwrap();
    (inbox, server)
}

fn answer() -> Answer {
    Answer {
        status: 503,
        headers: vec![("content-type", "text/html".to_owned())],
        body: b"later".to_vec(),
    }
}

#[test]
fn a_request_is_told_and_answered() {
    let (mut inbox, server) = started();
    let bytes = request("POST /ap/SendOrder?OMSId=1 HTTP/1.1\r\nAPToken: t\r\n", b"{}");
    let client = client(server.address(), bytes);
    let (id, request) = asked(&mut inbox);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/ap/SendOrder"));
    assert_eq!((request.query.as_str(), request.body.as_slice()), ("OMSId=1", &b"{}"[..]));
    assert!(request.headers.contains(&("aptoken".to_owned(), "t".to_owned())));
    server.answer(id, Duration::from_millis(1), Some(answer()));
    let text = finish(&mut inbox, client);
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("content-type: text/html\r\n") && text.ends_with("later"), "{text}");
    server.answer(id, Duration::ZERO, Some(answer()));
}

#[test]
fn a_connection_is_broken_off_without_an_answer() {
    let (mut inbox, server) = started();
    let client = client(server.address(), request("GET / HTTP/1.1\r\n", b""));
    let (id, _) = asked(&mut inbox);
    server.answer(id, Duration::ZERO, None);
    assert_eq!(finish(&mut inbox, client), "");
}

#[test]
fn bodies_are_inflated() {
    let (mut inbox, server) = started();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"{\"a\":1}").unwrap();
    let packed = encoder.finish().unwrap();
    let head = "POST /api/mt/trades HTTP/1.1\r\nContent-Encoding: gzip\r\n";
    let right = client(server.address(), request(head, &packed));
    let (id, got) = asked(&mut inbox);
    assert_eq!(got.body, b"{\"a\":1}");
    server.answer(id, Duration::ZERO, Some(answer()));
    finish(&mut inbox, right);
    for (head, body, status) in [
        (head, &packed[..8], "400"),
        ("POST / HTTP/1.1\r\nContent-Encoding: br\r\n", &b"x"[..], "415"),
    ] {
        let wrong = client(server.address(), request(head, body));
        let text = finish(&mut inbox, wrong);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
}

#[test]
fn only_this_machine_is_served() {
    let inbox = Inbox::open().unwrap();
    assert!(HttpServer::start(0, "0.0.0.0:0".parse().unwrap(), inbox.lines()).is_err());
}
