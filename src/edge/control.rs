//! The control socket of a running engine: a Unix socket in its state folder, readable by its user
//! only. A client writes one line and reads one line; both are JSON.

use super::clock;
use super::inbox::{Asked, Input, Lines};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// The socket's file in the state folder.
const FILE: &str = "control.sock";
/// Where the socket is, when the folder's path is too long for a socket's address.
const ELSEWHERE: &str = "control.path";
/// A socket's address has 108 bytes on Linux and 104 on others.
const LONGEST_ADDRESS: usize = 100;

/// Longest question and longest answer.
const LONGEST_QUESTION: u64 = 64 * 1024;
const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// Questions that wait for their answers at once; one more is turned away.
const WAITING: usize = 64;

/// A client waits at most this long for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The listening end. Dropping it removes the socket.
#[derive(Debug)]
pub struct Control {
    shared: Arc<Shared>,
    socket: PathBuf,
    pointer: Option<PathBuf>,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    lines: Lines,
    asked: AtomicU64,
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<String>>>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, oneshot::Sender<String>>> {
        // A thread that panicked while holding the lock left the map whole: no step in between.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Listens in a state folder that this process owns: a socket left by an engine that died is
    /// replaced.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(state: &Path, lines: Lines) -> anyhow::Result<Control> {
        let (socket, pointer) = address(state);
        if let Err(error) = std::fs::remove_file(&socket)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("cannot replace {}", socket.display()));
        }
        let runtime = lines.runtime.clone();
        let _inside = runtime.enter();
        let listener = UnixListener::bind(&socket)
            .with_context(|| format!("cannot listen on {}", socket.display()))?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
            .with_context(|| format!("cannot protect {}", socket.display()))?;
        if let Some(pointer) = &pointer {
            std::fs::write(pointer, socket.as_os_str().as_encoded_bytes())
                .with_context(|| format!("cannot write {}", pointer.display()))?;
        }
        let waiting = Mutex::new(BTreeMap::new());
        let shared = Arc::new(Shared { lines, asked: AtomicU64::new(0), waiting });
        let accepting = runtime.spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Control { shared, socket, pointer, accepting })
    }

    /// Answers a question; nothing happens if whoever asked is gone. `answer` is one line.
    pub fn answer(&self, id: u64, answer: String) {
        self.shared.lines.touch();
        if let Some(asker) = self.shared.waiting().remove(&id) {
            drop(asker.send(answer));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.accepting.abort();
        for file in [Some(&self.socket), self.pointer.as_ref()].into_iter().flatten() {
            if let Err(error) = std::fs::remove_file(file) {
                tracing::debug!(%error, "the control socket was gone already");
            }
        }
    }
}

/// Where the socket of a state folder is, and the file that says so when it is not in there.
fn address(state: &Path) -> (PathBuf, Option<PathBuf>) {
    let inside = state.join(FILE);
    if inside.as_os_str().len() <= LONGEST_ADDRESS {
        return (inside, None);
    }
    let name = format!("lunario-{}.sock", std::process::id());
    (std::env::temp_dir().join(name), Some(state.join(ELSEWHERE)))
}

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &shared).await {
                        tracing::debug!(%error, "a control connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: UnixStream, shared: &Shared) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut question = String::new();
    let mut read = tokio::io::BufReader::new(read.take(LONGEST_QUESTION));
    tokio::time::timeout(PATIENCE, read.read_line(&mut question)).await??;
    let id = shared.asked.fetch_add(1, Ordering::Relaxed);
    let (asker, answer) = oneshot::channel();
    {
        let mut waiting = shared.waiting();
        if waiting.len() >= WAITING {
            return Ok(());
        }
        waiting.insert(id, asker);
    }
    let asked = Asked { id, question: question.trim_end().to_owned() };
    if shared.lines.post.send(clock::now(), Input::Asked(asked)).await.is_err() {
        shared.waiting().remove(&id);
        return Ok(());
    }
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    shared.waiting().remove(&id);
    if let Ok(Ok(mut text)) = answer {
        text.push('\n');
        write.write_all(text.as_bytes()).await?;
    }
    write.shutdown().await
}

/// Asks the engine that owns this state folder.
///
/// # Errors
/// When none runs there, or it does not answer in time.
pub fn ask(state: &Path, question: &str) -> anyhow::Result<String> {
    let pointed = std::fs::read(state.join(ELSEWHERE)).ok();
    let socket = pointed.map_or_else(
        || state.join(FILE),
        |path| PathBuf::from(String::from_utf8_lossy(&path).into_owned()),
    );
    let connected = std::os::unix::net::UnixStream::connect(&socket);
    // A path too long for a socket has its socket elsewhere, if an engine runs.
    let nobody = [
        std::io::ErrorKind::NotFound,
        std::io::ErrorKind::ConnectionRefused,
        std::io::ErrorKind::InvalidInput,
    ];
    let mut stream = match connected {
        Err(error) if nobody.contains(&error.kind()) => bail!(
            "no engine runs on the state folder {}; start one with `lunario run`, or name its \
             folder with --state",
            state.display()
        ),
        other => other.with_context(|| format!("cannot reach {}", socket.display()))?,
    };
    stream.set_read_timeout(Some(PATIENCE)).context("the socket takes no time limit")?;
    writeln!(stream, "{question}").context("the engine did not take the question")?;
    let mut answer = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER))
        .read_line(&mut answer)
        .context("the engine did not answer")?;
    if !answer.ends_with('\n') {
        bail!("the engine did not answer; it may be ending");
    }
    Ok(answer.trim_end().to_owned())
}

#[cfg(test)]
mod tests;
