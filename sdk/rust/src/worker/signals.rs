//! Stops a worker on signals of the process.

use tokio::task::AbortHandle;

use super::worker::Worker;
use crate::error::{Error, Result};

/// Listens until it is dropped.
pub(crate) struct Signals(AbortHandle);

impl Signals {
    /// The first signal drains the worker; a second one stops it without waiting for handlers.
    pub fn listen(worker: Worker) -> Result<Self> {
        let mut signals = Stream::open()
            .map_err(|error| Error::InvalidArgument(format!("signals: no listener can be installed: {error}")))?;
        let task = tokio::spawn(async move {
            signals.next().await;
            tokio::select! {
                () = worker.stop() => {}
                () = signals.next() => worker.stop_within(std::time::Duration::ZERO).await,
            }
        });
        Ok(Self(task.abort_handle()))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(unix)]
struct Stream {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stream {
    fn open() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stream;

#[cfg(not(unix))]
impl Stream {
    fn open() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
