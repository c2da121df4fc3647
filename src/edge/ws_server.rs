//! The simulator's sockets: a WebSocket server on loopback. It posts what connections say into the
//! inbox and never waits for a slow reader: one that falls too far behind is disconnected.

use super::clock;
use super::inbox::{Input, Lines, Served, ServedNews};
use super::pump::{self, End};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many connections are served at once.
const CONNECTIONS: usize = 256;

/// The opening handshake may take this long.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// A listening server. Dropping it closes every connection.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    number: u32,
    lines: Lines,
    peers: Mutex<BTreeMap<u64, Peer>>,
}

#[derive(Debug)]
struct Peer {
    outgoing: mpsc::Sender<String>,
    task: AbortHandle,
}

impl Server {
    /// Listens on a loopback address; port 0 picks a free one. Every path is taken (the venue's is
    /// `/WSGateway/`). `number` is told back in every news.
    ///
    /// # Errors
    /// When the address is not loopback or cannot be bound.
    pub fn start(number: u32, address: SocketAddr, lines: Lines) -> anyhow::Result<Server> {
        if !address.ip().is_loopback() {
            bail!(
                "{address} is not a loopback address: the simulated venue has made-up accounts and \
                 no TLS, so it serves this machine only; use 127.0.0.1:{}",
                address.port()
            );
        }
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("the listener has no address")?;
        let peers = Mutex::new(BTreeMap::new());
        let shared = Arc::new(Shared { number, lines, peers });
        let runtime = shared.lines.runtime.clone();
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(listener).context("cannot listen")?;
        let accepting = runtime.spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Server { shared, address, accepting })
    }

    /// The address as bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `ws://127.0.0.1:PORT/WSGateway/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/WSGateway/", self.address)
    }

    /// Sends a text frame without waiting; nothing happens if the connection is gone. A reader with
    /// 4,096 frames waiting is disconnected, and `Closed` says so.
    pub fn send(&self, conn: u64, text: String) {
        self.shared.lines.touch();
        let mut peers = self.shared.peers();
        let Some(peer) = peers.get(&conn) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = peer.outgoing.try_send(text) {
            peer.task.abort();
            peers.remove(&conn);
            let shared = Arc::clone(&self.shared);
            let reason = format!("too slow: {} frames wait for it", pump::OUTGOING);
            self.shared
                .lines
                .runtime
                .spawn(async move { shared.tell(conn, Served::Closed(reason)).await });
        }
    }

    /// Says goodbye to a connection. Nothing more comes of it but what already stands in the inbox.
    pub fn close(&self, conn: u64) {
        self.shared.lines.touch();
        self.shared.peers().remove(&conn);
    }

    /// How many more frames the slowest connection has room for: a feed that is not bound to the
    /// clock waits while this is low.
    #[must_use]
    pub fn room(&self) -> usize {
        let peers = self.shared.peers();
        peers.values().map(|peer| peer.outgoing.capacity()).min().unwrap_or(pump::OUTGOING)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.peers().clear();
    }
}

impl Shared {
    /// A thread that panicked while holding the lock left the map whole: no step in between.
    fn peers(&self) -> MutexGuard<'_, BTreeMap<u64, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn input(&self, conn: u64, kind: Served) -> Input {
        Input::Served(ServedNews { server: self.number, conn, kind })
    }

    async fn tell(&self, conn: u64, kind: Served) {
        if self.lines.post.send(clock::now(), self.input(conn, kind)).await.is_err() {
            tracing::debug!(conn, "nobody is left to hear of a connection");
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    for conn in 1.. {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: serving goes on, and a pause keeps it from
                // spinning.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (outgoing, frames) = mpsc::channel(pump::OUTGOING);
        let mut peers = shared.peers();
        if peers.len() >= CONNECTIONS {
            tracing::warn!("a connection was refused: {CONNECTIONS} are open");
            continue;
        }
        // The map is locked, so the task cannot look itself up before it stands there.
        let task = shared.lines.runtime.spawn(serve(conn, stream, frames, Arc::clone(&shared)));
        peers.insert(conn, Peer { outgoing, task: task.abort_handle() });
    }
}

async fn serve(conn: u64, stream: TcpStream, frames: mpsc::Receiver<String>, shared: Arc<Shared>) {
    let end = match shake_hands(stream).await {
        Ok(socket) => {
            shared.tell(conn, Served::Opened).await;
            let make = |text| shared.input(conn, Served::Frame(text));
            pump::pump(socket, frames, &shared.lines.post, make).await
        }
        Err(error) => {
            tracing::debug!(conn, error, "no WebSocket");
            shared.peers().remove(&conn);
            return;
        }
    };
    let ours = shared.peers().remove(&conn).is_none();
    if let (false, End::Theirs(reason)) = (ours, end) {
        shared.tell(conn, Served::Closed(reason)).await;
    }
}

async fn shake_hands(
    stream: TcpStream,
) -> Result<tokio_tungstenite::WebSocketStream<TcpStream>, String> {
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let opening = tokio_tungstenite::accept_async_with_config(stream, Some(pump::limits()));
    match tokio::time::timeout(HANDSHAKE_LIMIT, opening).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(error)) => Err(pump::reason(&error)),
        Err(_) => Err("the handshake took too long".to_owned()),
    }
}
