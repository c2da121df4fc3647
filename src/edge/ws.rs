//! The client's sockets: takes what a session wants (`Net::Open`, `Frame`, `Close`) without ever
//! waiting, and posts what happens (`Opened`, `Frame`, `Lost`) into the inbox, stamped on arrival.

use super::clock;
use super::inbox::{Input, Lines, SocketNews};
use super::pump::{self, End};
use super::tls;
use crate::base::Net;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

/// Name lookup, connection, TLS and handshake together may take this long.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The connections of one session. One task owns each socket; its frames are bounded both ways.
#[derive(Debug)]
pub struct Sockets {
    link: u32,
    lines: Lines,
    open: BTreeMap<u32, Open>,
    epochs: u64,
}

#[derive(Debug)]
struct Open {
    epoch: u64,
    outgoing: mpsc::Sender<String>,
    task: AbortHandle,
}

impl Sockets {
    /// Sockets on an inbox's thread. `link` is told back in every news, to tell the sessions of one
    /// inbox apart.
    #[must_use]
    pub fn new(link: u32, lines: Lines) -> Sockets {
        Sockets { link, lines, open: BTreeMap::new(), epochs: 0 }
    }

    /// Does what the session wants. What cannot be done comes back as `Lost`.
    pub fn handle(&mut self, net: Net) {
        self.lines.touch();
        match net {
            Net::Open { conn, url } => self.open(conn, url),
            Net::Frame { conn, text } => self.write(conn, text),
            // Dropping the sender lets the task say goodbye and end.
            Net::Close { conn } => drop(self.open.remove(&conn)),
            Net::Opened { .. } | Net::Lost { .. } | Net::Request(_) | Net::Response(_) => {
                tracing::error!(?net, "a session asked for what no socket does");
            }
        }
    }

    /// The news, if it is of a connection that is still wanted: what a connection said before it
    /// was closed or opened anew may still stand in the inbox.
    #[must_use]
    pub fn current(&mut self, news: SocketNews) -> Option<Net> {
        let conn = match &news.net {
            Net::Open { conn, .. }
            | Net::Opened { conn }
            | Net::Frame { conn, .. }
            | Net::Lost { conn, .. }
            | Net::Close { conn } => *conn,
            Net::Request(_) | Net::Response(_) => return None,
        };
        if news.link != self.link || self.open.get(&conn)?.epoch != news.epoch {
            return None;
        }
        if matches!(news.net, Net::Lost { .. }) {
            self.open.remove(&conn);
        }
        Some(news.net)
    }

    fn open(&mut self, conn: u32, url: String) {
        self.epochs += 1;
        let (outgoing, frames) = mpsc::channel(pump::OUTGOING);
        let teller =
            Teller { link: self.link, epoch: self.epochs, conn, lines: self.lines.clone() };
        let task = self.lines.runtime.spawn(own(url, frames, teller)).abort_handle();
        self.open.insert(conn, Open { epoch: self.epochs, outgoing, task });
    }

    fn write(&mut self, conn: u32, text: String) {
        let Some(open) = self.open.get(&conn) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = open.outgoing.try_send(text) {
            open.task.abort();
            let teller =
                Teller { link: self.link, epoch: open.epoch, conn, lines: self.lines.clone() };
            let reason = format!("{} frames wait to be written", pump::OUTGOING);
            self.lines.runtime.spawn(async move { teller.tell(Net::Lost { conn, reason }).await });
        }
    }
}

/// Tells the inbox about one opening of one connection.
struct Teller {
    link: u32,
    epoch: u64,
    conn: u32,
    lines: Lines,
}

impl Teller {
    fn input(&self, net: Net) -> Input {
        Input::Socket(SocketNews { link: self.link, epoch: self.epoch, net })
    }

    async fn tell(&self, net: Net) {
        if self.lines.post.send(clock::now(), self.input(net)).await.is_err() {
            tracing::debug!(conn = self.conn, "nobody is left to hear of a connection");
        }
    }
}

/// The task that owns one connection, from its opening to its end.
async fn own(url: String, mut frames: mpsc::Receiver<String>, teller: Teller) {
    let conn = teller.conn;
    let connecting = tokio::time::timeout(CONNECT_LIMIT, connect(&url));
    let socket = tokio::select! {
        biased;
        // Closed before it was open: a frame cannot come first, for a session waits for `Opened`.
        () = closed(&mut frames) => return,
        done = connecting => match done {
            Ok(Ok(socket)) => socket,
            Ok(Err(reason)) => return teller.tell(Net::Lost { conn, reason }).await,
            Err(_) => {
                let reason = format!("no answer from {url} within {}s", CONNECT_LIMIT.as_secs());
                return teller.tell(Net::Lost { conn, reason }).await;
            }
        },
    };
    teller.tell(Net::Opened { conn }).await;
    let make = |text| teller.input(Net::Frame { conn, text });
    match pump::pump(socket, frames, &teller.lines.post, make).await {
        End::Ours => {}
        End::Theirs(reason) => teller.tell(Net::Lost { conn, reason }).await,
    }
}

/// Ends when the sending side is dropped.
async fn closed(frames: &mut mpsc::Receiver<String>) {
    while frames.recv().await.is_some() {}
}

async fn connect(url: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, String> {
    let request = url.into_client_request().map_err(|e| format!("`{url}` is no address: {e}"))?;
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let secure = uri.scheme_str() == Some("wss");
    if !secure && !tls::is_loopback(&host) {
        return Err(format!(
            "`{url}` would send the password in the clear; use wss:// (ws:// is for loopback only)"
        ));
    }
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|e| format!("cannot reach {host}:{port}: {e}"))?;
    stream.set_nodelay(true).map_err(|e| format!("cannot set TCP_NODELAY: {e}"))?;
    let connector = if secure { Connector::Rustls(tls::config().await?) } else { Connector::Plain };
    client_async_tls_with_config(request, stream, Some(pump::limits()), Some(connector))
        .await
        .map(|(socket, _)| socket)
        .map_err(|error| pump::reason(&error))
}

#[cfg(test)]
mod tests;
