//! Runs one worker with scripted handlers, which the conformance suite uses to test the Rust SDK.

mod script;
mod step;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use muster::Worker;
use muster::worker::Context;

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

async fn run() -> Result<(), Box<dyn Error>> {
    let address = env::var("MUSTER_ADDRESS").map_err(|error| format!("MUSTER_ADDRESS: {error}"))?;
    let name = env::var("MUSTER_WORKER_NAME").unwrap_or_else(|_| "conformance".into());
    let slots = match env::var("MUSTER_SLOTS") {
        Ok(slots) => slots.parse().map_err(|error| format!("MUSTER_SLOTS: {slots:?}: {error}"))?,
        Err(_) => 10,
    };
    let worker = Worker::builder(address, name)
        .slots(slots)
        .signals(true)
        .handle_payload("echo", |_: Context, input| async { Ok(input) })
        .handle_payload("script", script::run)
        .build()?;
    Ok(worker.run().await?)
}
