//! The one queue into a machine's thread: sockets, saves and signals post into it, stamped with
//! their time of arrival, and the thread takes them in order, waiting at most until its next
//! wake-up.
//!
//! The inbox carries the thread's own single-threaded network runtime: sockets are read and written
//! on the machine's thread itself, between two inputs. So a frame reaches the machine without
//! changing threads (a hand-over to a sleeping thread was measured at 45 µs), and an order leaves
//! without one. A post to a full inbox waits: a socket stops reading, and TCP holds the other side
//! back.

use super::clock;
use crate::base::{Net, Response, Secret, Time};
use anyhow::Context;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How many inputs wait at most before their senders do.
pub const BOUND: usize = 8192;

/// After this many inputs in a row the sockets are looked after, however many more wait.
const TURN: u32 = 64;

/// Something that arrived from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A client socket said something; `Sockets::current` tells whether it still matters.
    Socket(SocketNews),
    /// How an HTTP exchange of a session ended. `link` is the number its `Http` was made with.
    Http { link: u32, response: Response },
    /// A connection to a server of ours said something.
    Served(ServedNews),
    /// A script's stable content differs from the last reported one.
    Changed { path: PathBuf },
    /// Somebody asks this engine something; `Control::answer` answers.
    Asked(Asked),
    /// A line that was typed at the terminal; it may be a one-time code.
    Typed(Secret),
    /// The user wants the process to end (Ctrl-C or a terminate signal).
    Stop,
}

/// One line of a client of the control socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub id: u64,
    pub question: String,
}

/// News of one client connection: `net` is `Opened`, `Frame` or `Lost`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketNews {
    /// Whose sockets: the number their `Sockets` were made with (a venue's place).
    pub link: u32,
    /// Which opening of that connection number.
    pub epoch: u64,
    pub net: Net,
}

/// News of one connection to a server of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServedNews {
    /// Which server: the number it was started with.
    pub server: u32,
    /// The connection's own number, never used again.
    pub conn: u64,
    pub kind: Served,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Served {
    Opened,
    Frame(String),
    Closed(String),
    /// An HTTP request, whose number is the news' `conn`; it waits for its answer.
    Request(Request),
}

/// A request as it was read, its body inflated. `query` has no question mark. Headers, query and
/// body may hold secrets and personal data: `Debug` shows their sizes.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (query, headers, body) = (self.query.len(), self.headers.len(), self.body.len());
        write!(f, "{} {} <query {query}, {headers} headers, {body} bytes>", self.method, self.path)
    }
}

/// The machine's thread is gone; nobody takes inputs any more.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("nobody takes inputs any more")]
pub struct Gone;

/// The sending end; clones post into the same inbox.
#[derive(Clone, Debug)]
pub struct Post(Sender<(Time, Input)>);

impl Post {
    /// Posts from a task, which waits while the inbox is full.
    ///
    /// # Errors
    /// When the inbox was dropped.
    pub async fn send(&self, at: Time, input: Input) -> Result<(), Gone> {
        self.0.send((at, input)).await.map_err(|_| Gone)
    }

    /// Posts from a thread of its own, which waits while the inbox is full. Never call it on the
    /// inbox's own thread.
    ///
    /// # Errors
    /// When the inbox was dropped.
    pub fn send_blocking(&self, at: Time, input: Input) -> Result<(), Gone> {
        self.0.blocking_send((at, input)).map_err(|_| Gone)
    }
}

/// What `Inbox::next` found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    Input(Time, Input),
    /// The deadline passed.
    Timeout,
}

/// The receiving end, owned by the machine's thread. Sockets move bytes only while that thread is
/// inside `next`.
#[derive(Debug)]
pub struct Inbox {
    inputs: Receiver<(Time, Input)>,
    runtime: Runtime,
    lines: Lines,
    taken: u32,
}

/// What sockets need of the inbox they belong to.
#[derive(Clone, Debug)]
pub struct Lines {
    pub(super) post: Post,
    pub(super) runtime: Handle,
    written: Arc<AtomicBool>,
}

impl Lines {
    /// Bytes were handed to a socket: the next `next` writes them before it gives an input.
    pub(super) fn touch(&self) {
        self.written.store(true, Ordering::Relaxed);
    }
}

impl Inbox {
    /// An empty inbox with its runtime.
    ///
    /// # Errors
    /// When the system gives no event queue.
    pub fn open() -> anyhow::Result<Inbox> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .thread_name("lunario-net")
            .enable_all()
            .build()
            .context("cannot start the network runtime")?;
        let (tx, inputs) = mpsc::channel(BOUND);
        let written = Arc::new(AtomicBool::new(false));
        let lines = Lines { post: Post(tx), runtime: runtime.handle().clone(), written };
        Ok(Inbox { inputs, runtime, lines, taken: 0 })
    }

    /// An end that posts into this inbox, for threads.
    #[must_use]
    pub fn post(&self) -> Post {
        self.lines.post.clone()
    }

    /// What sockets and servers of this inbox's thread are made with.
    #[must_use]
    pub fn lines(&self) -> Lines {
        self.lines.clone()
    }

    /// Writes what sockets were given, then waits for the next input, at most until `deadline`
    /// (`None`: as long as it takes). A deadline that has passed still lets sockets read and write.
    pub fn next(&mut self, deadline: Option<Time>) -> Next {
        self.taken += 1;
        if self.lines.written.swap(false, Ordering::Relaxed) || self.taken >= TURN {
            self.taken = 0;
            self.runtime.block_on(tokio::task::yield_now());
        }
        // A sender lives in `lines`, so the channel never ends.
        if let Ok((at, input)) = self.inputs.try_recv() {
            return Next::Input(at, input);
        }
        let Inbox { inputs, runtime, .. } = self;
        let got = runtime.block_on(async {
            match deadline {
                None => inputs.recv().await,
                Some(deadline) => {
                    let wait = clock::until(deadline);
                    if wait.is_zero() {
                        tokio::task::yield_now().await;
                        return inputs.try_recv().ok();
                    }
                    tokio::time::timeout(wait, inputs.recv()).await.ok().flatten()
                }
            }
        });
        got.map_or(Next::Timeout, |(at, input)| Next::Input(at, input))
    }

    /// An input that is already there; sockets are not looked after.
    pub fn ready(&mut self) -> Option<(Time, Input)> {
        self.inputs.try_recv().ok()
    }
}
