//! The served venues on a thread of this process.

use super::{Urls, VenueRun, VenueSpec};
use crate::base::Plain;
use crate::edge::clock;
use crate::edge::inbox::{Input, Post};
use anyhow::Context;

/// Venues served by a thread of this process, with the accounts of `accounts`.
pub struct Embedded {
    /// FlowBTC's WebSocket.
    pub url: String,
    /// All addresses.
    pub urls: Urls,
    post: Post,
    thread: Option<std::thread::JoinHandle<anyhow::Result<Plain>>>,
}

impl Embedded {
    /// Starts serving; the addresses are bound when this returns.
    ///
    /// # Errors
    /// When a venue cannot be opened or the system gives no thread.
    pub fn start(
        make: impl FnOnce() -> anyhow::Result<VenueSpec> + Send + 'static,
    ) -> anyhow::Result<Embedded> {
        let (ready, answer) = std::sync::mpsc::channel();
        let serve = move || -> anyhow::Result<Plain> {
            let mut run = match make().and_then(VenueRun::open) {
                Ok(run) => {
                    drop(ready.send(Ok((run.urls(), run.post()))));
                    run
                }
                Err(error) => {
                    drop(ready.send(Err(error)));
                    return Ok(Plain::Nil);
                }
            };
            let mut played = |events| {
                tracing::warn!(events, "the feed has come to its end; the run goes on");
            };
            if let Err(error) = run.run(None, &mut played) {
                tracing::error!("the embedded exchange ended: {error:#}");
                return Err(error);
            }
            Ok(run.ledger())
        };
        let thread = std::thread::Builder::new()
            .name("lunario-venue".into())
            .spawn(serve)
            .context("cannot start a thread for the embedded venue")?;
        let (urls, post) = answer.recv().context("the embedded venue did not start")??;
        Ok(Embedded { url: urls.flowbtc_ws.clone(), urls, post, thread: Some(thread) })
    }

    /// Ends it; its ledger.
    ///
    /// # Errors
    /// When its feed could not be read on.
    pub fn stop(&mut self) -> anyhow::Result<Plain> {
        let Some(thread) = self.thread.take() else { return Ok(Plain::Nil) };
        // Gone is as good as told.
        let _gone = self.post.send_blocking(clock::now(), Input::Stop);
        thread.join().map_err(|_| anyhow::anyhow!("the embedded venue failed"))?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.stop());
    }
}
