//! Submits jobs and follows them: [`Client`].

mod attempt_logs;
mod batch;
pub(crate) mod calls;
mod cancel;
#[allow(clippy::module_inception, reason = "the client is what the module is about")]
pub(crate) mod client;
pub(crate) mod definitions;
mod feed;
mod following;
mod job_changes;
mod job_filter;
mod job_pages;
pub(crate) mod job_ref;
pub(crate) mod job_wait;
mod job_watch;
mod pause;
mod signals;
pub(crate) mod submission;
pub(crate) mod transport_retry;

pub use attempt_logs::LogOptions;
pub use batch::BatchHandle;
pub use cancel::Cancel;
pub use client::{Client, ClientBuilder};
pub use feed::Feed;
pub use job_filter::JobFilter;
pub use job_pages::JobPages;
pub use pause::Pause;
pub use signals::Signal;
pub use transport_retry::TransportRetry;
