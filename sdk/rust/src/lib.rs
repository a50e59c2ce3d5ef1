#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod client;
mod duration;
pub mod error;
mod job_state;
pub mod payload;
mod telemetry;
pub mod testing;
mod transport;
pub mod worker;

/// The generated messages and the clients of the services of `muster.v1`. Those of the worker protocol are in
/// [`worker::v1`].
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
#[path = "generated/muster.v1.rs"]
#[rustfmt::skip]
pub mod v1;

pub use client::Client;
pub use client::job_ref::SubmittedJob;
pub use client::submission::Submission;
pub use error::{CallError, Code, Error, FieldViolation, JobFailed, Result};
pub use job_state::{is_terminal, state_name};
pub use payload::Payload;
pub use worker::Worker;

pub(crate) const SDK_NAME: &str = "muster-rust";
pub(crate) const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");
