//! Workers without a control plane.

use std::time::Duration;

use muster::v1::JobDefinition;
use muster::worker::{Context, WorkerBuilder};
use muster::{Error, Worker};

/// An address without a server.
const NOWHERE: &str = "127.0.0.1:1";

fn builder(address: &str) -> WorkerBuilder {
    Worker::builder(address, "tester").handle("nothing", |_: Context, (): ()| async { Ok(()) })
}

fn refusal(builder: WorkerBuilder) -> String {
    match builder.build() {
        Err(Error::InvalidArgument(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_a_worker_can_not_be_made_of_is_named() {
    assert!(refusal(builder(NOWHERE).slots(0)).starts_with("slots: "));
    assert!(refusal(builder(NOWHERE).slots(10_001)).starts_with("slots: "));
    assert!(refusal(builder("not an address")).starts_with("address: "));
    assert!(refusal(Worker::builder(NOWHERE, "idle")).starts_with("handlers: "));
    let twice = builder(NOWHERE).handle("nothing", |_: Context, (): ()| async { Ok(()) });
    assert!(refusal(twice).contains("\"nothing\""));
    let definition =
        |namespace: &str| JobDefinition { name: "a".into(), namespace: namespace.into(), ..Default::default() };
    let twice = builder(NOWHERE).definition(definition("")).definition(definition("default"));
    assert!(refusal(twice).starts_with("definitions: two"));
    let other = builder(NOWHERE).namespace("shop").definition(definition("default"));
    assert!(refusal(other).contains("\"shop\""));
}

#[tokio::test]
async fn a_worker_that_finds_nobody_tries_on_until_it_is_stopped() {
    let worker = builder(NOWHERE).build().unwrap();
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    // The task runs up to its first wait; the worker has started then.
    tokio::task::yield_now().await;
    worker.stop().await;
    running.await.unwrap().unwrap();
    assert_eq!(worker.session_id(), None);
    assert_eq!(worker.stats().sessions, 0);
    assert!(matches!(worker.run().await, Err(Error::InvalidArgument(_))));
    assert!(worker.set_slots(0).is_err());
}

#[tokio::test]
async fn a_worker_that_never_ran_has_nothing_to_stop() {
    builder(NOWHERE).build().unwrap().stop().await;
}

#[tokio::test]
async fn a_client_that_finds_nobody_gives_up_in_time() {
    let client = muster::Client::builder(NOWHERE).timeout(Duration::from_millis(300)).build().unwrap();
    let error = client.get("00000000-0000-0000-0000-000000000000").await.unwrap_err();
    // The timeout may pass during a try.
    let codes = [muster::Code::Unavailable, muster::Code::DeadlineExceeded];
    assert!(error.code().is_some_and(|code| codes.contains(&code)), "{error}");
}
