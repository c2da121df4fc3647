//! Client and server shells against each other over loopback.

use super::*;
use crate::base::{Span, Time};
use crate::edge::inbox::{Inbox, Next, Served};
use crate::edge::ws_server::Server;
use std::collections::VecDeque;

/// A client and a server on one inbox.
struct Pair {
    inbox: Inbox,
    sockets: Sockets,
    server: Server,
    heard: VecDeque<(Time, SocketNews)>,
    told: VecDeque<(u64, Served)>,
}

fn pair() -> Pair {
    let inbox = Inbox::open().unwrap();
    let server = Server::start(7, "127.0.0.1:0".parse().unwrap(), inbox.lines()).unwrap();
    let sockets = Sockets::new(3, inbox.lines());
    Pair { inbox, sockets, server, heard: VecDeque::new(), told: VecDeque::new() }
}

impl Pair {
    /// Takes one input from the inbox and sorts it.
    fn take(&mut self) {
        match self.inbox.next(Some(clock::now().plus(Span::from_secs(20)))) {
            Next::Input(at, Input::Socket(news)) => self.heard.push_back((at, news)),
            Next::Input(_, Input::Served(news)) => {
                assert_eq!(news.server, 7);
                self.told.push_back((news.conn, news.kind));
            }
            other @ (Next::Input(..) | Next::Timeout) => panic!("nothing came but {other:?}"),
        }
    }

    fn news(&mut self) -> (Time, SocketNews) {
        while self.heard.is_empty() {
            self.take();
        }
        self.heard.pop_front().unwrap()
    }

    /// The next current news of the client.
    fn heard(&mut self) -> Net {
        loop {
            let (_, news) = self.news();
            if let Some(net) = self.sockets.current(news) {
                return net;
            }
        }
    }

    fn served(&mut self) -> (u64, Served) {
        while self.told.is_empty() {
            self.take();
        }
        self.told.pop_front().unwrap()
    }

    /// Opens client connection `conn`; gives the server's number for it.
    fn open(&mut self, conn: u32) -> u64 {
        let url = self.server.url();
        self.sockets.handle(Net::Open { conn, url });
        assert_eq!(self.heard(), Net::Opened { conn });
        loop {
            if let Some(at) = self.told.iter().position(|(_, kind)| *kind == Served::Opened) {
                return self.told.remove(at).unwrap().0;
            }
            self.take();
        }
    }
}

#[test]
fn frames_go_both_ways_stamped_in_order() {
    let mut pair = pair();
    let before = clock::now();
    let conn = pair.open(0);
    for n in 0..100 {
        pair.sockets.handle(Net::Frame { conn: 0, text: format!("ask {n}") });
    }
    for n in 0..100 {
        assert_eq!(pair.served(), (conn, Served::Frame(format!("ask {n}"))));
        pair.server.send(conn, format!("answer {n}"));
    }
    let mut last = before;
    for n in 0..100 {
        let (at, news) = pair.news();
        assert_eq!(
            pair.sockets.current(news),
            Some(Net::Frame { conn: 0, text: format!("answer {n}") })
        );
        assert!(at >= last && at <= clock::now());
        last = at;
    }
}

#[test]
fn a_close_of_either_side_is_told_to_the_other_only() {
    let mut pair = pair();
    let conn = pair.open(0);
    pair.sockets.handle(Net::Close { conn: 0 });
    let (closed, Served::Closed(_)) = pair.served() else { panic!("not closed") };
    assert_eq!(closed, conn);

    let conn = pair.open(0);
    pair.server.send(conn, "bye".to_owned());
    pair.server.close(conn);
    assert_eq!(pair.heard(), Net::Frame { conn: 0, text: "bye".to_owned() });
    let Net::Lost { conn: 0, reason } = pair.heard() else { panic!("not lost") };
    assert!(reason.contains("closed by the other side"), "{reason}");
    assert!(pair.inbox.ready().is_none() && pair.heard.is_empty() && pair.told.is_empty());
}

#[test]
fn what_an_earlier_opening_said_is_not_current() {
    let mut pair = pair();
    let conn = pair.open(0);
    pair.server.send(conn, "old".to_owned());
    let (_, old) = pair.news();
    let again = pair.open(0);
    assert_eq!(pair.sockets.current(old), None);
    // The second opening closed the first.
    assert!(matches!(pair.served(), (closed, Served::Closed(_)) if closed == conn));
    pair.server.send(again, "new".to_owned());
    assert_eq!(pair.heard(), Net::Frame { conn: 0, text: "new".to_owned() });
}

#[test]
fn several_connections_live_side_by_side() {
    let mut pair = pair();
    let (first, second) = (pair.open(0), pair.open(1));
    pair.server.send(second, "to the second".to_owned());
    assert_eq!(pair.heard(), Net::Frame { conn: 1, text: "to the second".to_owned() });
    pair.server.send(first, "to the first".to_owned());
    assert_eq!(pair.heard(), Net::Frame { conn: 0, text: "to the first".to_owned() });
}

#[test]
fn a_reader_that_does_not_read_is_disconnected() {
    let mut pair = pair();
    // A raw client that shakes hands and then never reads.
    let url = pair.server.url();
    let idle = pair.sockets.lines.runtime.spawn(async move { connect(&url).await });
    let (conn, kind) = pair.served();
    assert_eq!(kind, Served::Opened);
    assert_eq!(pair.server.room(), pump::OUTGOING);
    let text = "x".repeat(16 << 10);
    for _ in 0..pump::OUTGOING * 2 {
        pair.server.send(conn, text.clone());
    }
    let (closed, Served::Closed(reason)) = pair.served() else { panic!("not closed") };
    assert_eq!(closed, conn);
    assert!(reason.contains("too slow"), "{reason}");
    drop(idle);
}

#[test]
fn what_cannot_be_opened_is_lost_with_a_reason() {
    let closed_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut pair = pair();
    let plain = pair.server.address();
    for (url, says) in [
        ("not an address".to_owned(), "no address"),
        (format!("ws://127.0.0.1:{closed_port}/"), "cannot reach 127.0.0.1"),
        ("ws://192.0.2.1/WSGateway/".to_owned(), "use wss://"),
        (format!("wss://{plain}/WSGateway/"), ""),
    ] {
        pair.sockets.handle(Net::Open { conn: 5, url: url.clone() });
        let Net::Lost { conn: 5, reason } = pair.heard() else { panic!("{url} opened") };
        assert!(reason.contains(says) && !reason.is_empty(), "{url}: {reason}");
    }
}

#[test]
fn the_server_serves_loopback_only() {
    let inbox = Inbox::open().unwrap();
    let refused = Server::start(0, "0.0.0.0:0".parse().unwrap(), inbox.lines());
    assert!(refused.unwrap_err().to_string().contains("not a loopback address"));
}

#[test]
fn a_server_that_goes_away_is_lost() {
    let mut pair = pair();
    pair.open(0);
    let other = Inbox::open().unwrap();
    let replacement = Server::start(7, "127.0.0.1:0".parse().unwrap(), other.lines()).unwrap();
    drop(std::mem::replace(&mut pair.server, replacement));
    assert!(matches!(pair.heard(), Net::Lost { conn: 0, .. }));
}

#[test]
fn sockets_are_served_while_many_inputs_wait() {
    let mut pair = pair();
    let conn = pair.open(0);
    let post = pair.inbox.post();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..1000 {
                post.send_blocking(clock::now(), Input::Stop).unwrap();
            }
        });
    });
    pair.sockets.handle(Net::Frame { conn: 0, text: "order".to_owned() });
    // The order is written before the first of the waiting inputs is given, so that the server's
    // side of the same runtime hears of it behind them and not after a pause.
    let mut stops = 0;
    loop {
        match pair.inbox.next(Some(clock::now().plus(Span::from_secs(20)))) {
            Next::Input(_, Input::Stop) => stops += 1,
            Next::Input(_, Input::Served(news)) => {
                assert_eq!((news.conn, news.kind), (conn, Served::Frame("order".to_owned())));
                break;
            }
            other @ (Next::Input(..) | Next::Timeout) => panic!("{other:?}"),
        }
    }
    assert_eq!(stops, 1000);
}

#[test]
fn waiting_ends_at_the_deadline() {
    let mut inbox = Inbox::open().unwrap();
    assert_eq!(inbox.next(Some(Time::ZERO)), Next::Timeout);
    let deadline = clock::now().plus(Span::from_millis(5));
    assert_eq!(inbox.next(Some(deadline)), Next::Timeout);
    assert!(clock::now() >= deadline);
}
