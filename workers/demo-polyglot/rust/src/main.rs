//! The demo's worker in Rust: how far the flights go. `MUSTER_ADDRESS` is the address of the control plane.

mod distances;
mod tracing;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use muster::Worker;
use muster::worker::Context;

use distances::{Distances, Network};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until SIGINT or SIGTERM.
async fn run() -> Result<(), Box<dyn Error>> {
    let address = env::var("MUSTER_ADDRESS").map_err(|error| format!("MUSTER_ADDRESS: {error}"))?;
    let spans = tracing::set_up()?;
    let worker = Worker::builder(address, "polyglot-rust")
        .slots(4)
        .signals(true)
        .handle("measure-distances", |_: Context, network: Network| async move { Ok(Distances::of(&network)?) })
        .build()?;
    worker.run().await?;
    if let Some(spans) = spans {
        spans.shutdown()?;
    }
    Ok(())
}
