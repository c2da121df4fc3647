//! The simulator's HTTP: a server on loopback that posts requests into the inbox and answers them
//! when the machine does. Bodies are inflated here; their sizes, the connections and the requests
//! that wait are bounded.

use super::clock;
use super::inbox::{Input, Lines, Request, Served, ServedNews};
use anyhow::{Context, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request as Asked, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use std::collections::BTreeMap;
use std::io::Read;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Connections served at once; one more is closed.
const CONNECTIONS: usize = 256;

/// Longest body, compressed and inflated (SENTRA-P09).
const LONGEST: usize = 50 * 1024 * 1024;

/// A body may take this long to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// What a request is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A listening server. Dropping it closes every connection.
#[derive(Debug)]
pub struct HttpServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    number: u32,
    lines: Lines,
    asked: AtomicU64,
    /// Requests that wait for their answer.
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<Option<Answer>>>>,
    /// Second handles of the open connections, to break them off.
    open: Mutex<Vec<Weak<std::net::TcpStream>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while holding the lock left the value whole: no step in between.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpServer {
    /// Listens on a loopback address; port 0 picks a free one. `number` is told back in every news.
    ///
    /// # Errors
    /// When the address is not loopback or cannot be bound.
    pub fn start(number: u32, address: SocketAddr, lines: Lines) -> anyhow::Result<HttpServer> {
        if !address.ip().is_loopback() {
            bail!(
                "{address} is not a loopback address: the simulated venue serves this machine only"
            );
        }
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr().context("the listener has no address")?;
        let shared = Arc::new(Shared {
            number,
            lines,
            asked: AtomicU64::new(0),
            waiting: Mutex::new(BTreeMap::new()),
            open: Mutex::new(Vec::new()),
        });
        let runtime = shared.lines.runtime.clone();
        let _inside = runtime.enter();
        let tcp = TcpListener::from_std(listener).context("cannot listen")?;
        let gate = Gate { tcp, shared: Arc::clone(&shared) };
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let service = router.into_make_service_with_connect_info::<Line>();
        let accepting = runtime.spawn(async move {
            if let Err(error) = axum::serve(gate, service).await {
                tracing::warn!(%error, "the HTTP server ended");
            }
        });
        Ok(HttpServer { shared, address, accepting: accepting.abort_handle() })
    }

    /// The address as bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers a request after `delay`, or breaks its connection off (`None`). Nothing happens if
    /// whoever asked is gone.
    pub fn answer(&self, id: u64, delay: Duration, answer: Option<Answer>) {
        self.shared.lines.touch();
        let Some(asker) = locked(&self.shared.waiting).remove(&id) else { return };
        if delay.is_zero() {
            drop(asker.send(answer));
            return;
        }
        self.shared.lines.runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            drop(asker.send(answer));
        });
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.accepting.abort();
        for line in locked(&self.shared.open).drain(..) {
            if let Some(line) = line.upgrade() {
                hang_up(&line);
            }
        }
        locked(&self.shared.waiting).clear();
    }
}

/// A connection that is gone already needs no end.
fn hang_up(line: &std::net::TcpStream) {
    if let Err(error) = line.shutdown(Shutdown::Both) {
        tracing::debug!(%error, "a connection had ended");
    }
}

/// The listener with its bound.
struct Gate {
    tcp: TcpListener,
    shared: Arc<Shared>,
}

/// A second handle of a request's connection.
#[derive(Clone, Debug)]
struct Line(Arc<std::net::TcpStream>);

impl Connected<IncomingStream<'_, Gate>> for Line {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Line {
        stream.remote_addr().clone()
    }
}

impl Gate {
    async fn take(&self) -> std::io::Result<Option<(TcpStream, Line)>> {
        let (stream, _) = self.tcp.accept().await?;
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let line = Arc::new(stream.try_clone()?);
        let mut open = locked(&self.shared.open);
        open.retain(|line| line.strong_count() > 0);
        if open.len() >= CONNECTIONS {
            tracing::warn!("a connection was refused: {CONNECTIONS} are open");
            return Ok(None);
        }
        open.push(Arc::downgrade(&line));
        Ok(Some((TcpStream::from_std(stream)?, Line(line))))
    }
}

impl Listener for Gate {
    type Io = TcpStream;
    type Addr = Line;

    async fn accept(&mut self) -> (TcpStream, Line) {
        loop {
            match self.take().await {
                Ok(Some(taken)) => return taken,
                Ok(None) => {}
                Err(error) => {
                    // Out of file descriptors, mostly: a pause keeps it from spinning.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Line> {
        Err(std::io::Error::other("a listener has no connection"))
    }
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    asked: Asked,
) -> Response {
    let request = match read(asked).await {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    let id = shared.asked.fetch_add(1, Ordering::Relaxed);
    let (asker, answer) = oneshot::channel();
    locked(&shared.waiting).insert(id, asker);
    // Whoever asked may go away: then this future is dropped, and its place is given up.
    let _place = Place { shared: Arc::clone(&shared), id };
    let news = ServedNews { server: shared.number, conn: id, kind: Served::Request(request) };
    if shared.lines.post.send(clock::now(), Input::Served(news)).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.await {
        Ok(Some(answer)) => written(answer),
        Ok(None) => {
            hang_up(&line.0);
            std::future::pending().await
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

struct Place {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.shared.waiting).remove(&self.id);
    }
}

async fn read(asked: Asked) -> Result<Request, StatusCode> {
    let (parts, body) = asked.into_parts();
    let bytes = tokio::time::timeout(BODY_LIMIT, to_bytes(body, LONGEST)).await;
    let bytes = bytes.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    let bytes = bytes.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    Ok(Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: inflated(&parts.headers, bytes.to_vec())?,
    })
}

/// The body as it was before `Content-Encoding` (SENTRA-P09).
fn inflated(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
    let coding = headers.get(header::CONTENT_ENCODING).map_or(&b""[..], |coding| coding.as_bytes());
    let mut plain = Vec::new();
    let bound = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    let done = match coding.to_ascii_lowercase().as_slice() {
        b"" | b"identity" => return Ok(body),
        b"gzip" => flate2::read::MultiGzDecoder::new(&*body).take(bound).read_to_end(&mut plain),
        b"deflate" => flate2::read::ZlibDecoder::new(&*body).take(bound).read_to_end(&mut plain),
        _ => return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    };
    done.map_err(|_| StatusCode::BAD_REQUEST)?;
    if plain.len() > LONGEST { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(plain) }
}

fn written(answer: Answer) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let response = response.body(Body::from(answer.body));
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

#[cfg(test)]
mod tests;
