//! Ctrl-C and the terminate signal: the first asks for a clean end, the second ends at once.

use super::clock;
use super::inbox::{Input, Post};
use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a run that was interrupted.
pub const INTERRUPTED: i32 = 130;

/// Posts `Stop` at the first signal, from a thread of its own, so that a busy machine hears of it
/// with its next input; `heard` is called then. The second signal ends the process with code 130.
///
/// # Errors
/// When the system gives no thread or no signals.
pub fn watch(post: Post, heard: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for Ctrl-C")?;
    let (interrupt, terminate) = {
        let _inside = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
        (interrupt, signal(SignalKind::terminate()).context("cannot listen for signals")?)
    };
    std::thread::Builder::new()
        .name("lunario-signals".to_owned())
        .spawn(move || runtime.block_on(listen(interrupt, terminate, post, heard)))
        .context("cannot start a thread")?;
    Ok(())
}

async fn listen(mut interrupt: Signal, mut terminate: Signal, post: Post, heard: impl FnOnce()) {
    either(&mut interrupt, &mut terminate).await;
    heard();
    if post.send(clock::now(), Input::Stop).await.is_err() {
        tracing::debug!("nobody is left to stop");
    }
    either(&mut interrupt, &mut terminate).await;
    tracing::warn!("interrupted twice: ended at once");
    std::process::exit(INTERRUPTED);
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
