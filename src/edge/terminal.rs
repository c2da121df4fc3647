//! Lines that a person types while a run goes on.

use super::clock;
use super::inbox::{Input, Post};
use crate::base::Secret;
use anyhow::Context;
use std::io::{IsTerminal, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The terminal on the standard input. It is read only while a line is wanted: a process in the
/// background that reads from its terminal is stopped by the system, with its orders open.
#[derive(Debug)]
pub struct Terminal {
    post: Post,
    reading: Arc<AtomicBool>,
}

impl Terminal {
    #[must_use]
    pub fn new(post: Post) -> Terminal {
        Terminal { post, reading: Arc::new(AtomicBool::new(false)) }
    }

    /// Posts the next line that is typed as `Input::Typed`, from a thread of its own. `false`:
    /// nobody can type one, as there is no terminal or another process has it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn read_line(&self) -> anyhow::Result<bool> {
        if !stdin().is_terminal() || !in_foreground() {
            return Ok(false);
        }
        if self.reading.swap(true, Ordering::AcqRel) {
            return Ok(true);
        }
        let (post, reading) = (self.post.clone(), Arc::clone(&self.reading));
        let read = move || {
            let mut line = String::new();
            let read = stdin().read_line(&mut line);
            reading.store(false, Ordering::Release);
            if read.is_ok_and(|bytes| bytes > 0) {
                let typed = Input::Typed(Secret::new(line.trim()));
                if post.send_blocking(clock::now(), typed).is_err() {
                    tracing::debug!("nobody is left to take what was typed");
                }
            }
        };
        let thread = std::thread::Builder::new().name("lunario-terminal".to_owned());
        thread.spawn(read).context("cannot start a thread for the terminal")?;
        Ok(true)
    }
}

/// Whether what is typed at the terminal of the standard input is this process's to read.
#[allow(unsafe_code, reason = "two calls of the system that take and give plain numbers")]
fn in_foreground() -> bool {
    // SAFETY: both take and give integers and touch no memory of ours.
    unsafe { libc::tcgetpgrp(libc::STDIN_FILENO) == libc::getpgrp() }
}
