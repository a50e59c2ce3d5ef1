//! Runs jobs: [`Worker`] and its handlers.

mod bus;
mod children;
pub(crate) mod context;
pub(crate) mod core;
pub(crate) mod handler;
mod handler_error;
mod handler_host;
mod log_line;
mod mailbox;
mod progress;
mod session_api;
mod session_thread;
mod signals;
pub(crate) mod stop;
mod stop_reason;
pub(crate) mod word;
#[allow(clippy::module_inception, reason = "the worker is what the module is about")]
mod worker;
mod worker_event;

/// The generated messages and the client of the worker protocol, `muster.worker.v1`. [`Worker`] implements the
/// protocol; only a worker of your own needs these.
// The module must stay at `worker::v1`: the code finds the messages of `muster.v1` by `super::super::v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
#[path = "../generated/muster.worker.v1.rs"]
#[rustfmt::skip]
pub mod v1;

pub use children::Child;
pub use context::{Context, LogLevel};
pub use core::stats::Stats;
pub use handler_error::HandlerError;
pub use progress::ProgressCounts;
pub use stop_reason::StopReason;
pub use worker::{Worker, WorkerBuilder};
pub use worker_event::WorkerEvent;
