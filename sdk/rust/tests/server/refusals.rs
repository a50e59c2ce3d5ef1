//! Refused calls.

use std::time::Duration;

use muster::v1::JobState;
use muster::worker::Context;
use muster::{Code, Error, Worker};
use serde_json::Value;

use crate::support::{Server, within};

#[tokio::test]
async fn refusals_are_typed() {
    let Some(server) = Server::find("refusals_are_typed") else { return };
    let missing = server.client.submit(server.job("nowhere")).await.unwrap_err();
    assert_eq!((missing.code(), missing.reason()), (Some(Code::NotFound), "DEFINITION_NOT_FOUND"));
    server.define_plain("urgent").await;
    let wrong = server.client.submit(server.job("urgent").priority(1_000)).await.unwrap_err();
    let call = wrong.call().expect("a call");
    assert_eq!(call.code, Code::InvalidArgument);
    assert_eq!(call.field_violations[0].field, "job.priority");

    let once = || server.job("urgent").idempotency_key(&server.prefix).input(&1);
    let first = server.client.submit(once()).await.unwrap();
    let second = server.client.submit(once()).await.unwrap();
    assert_eq!((first.existing, second.existing), (false, true));
    assert_eq!(first.job_id, second.job_id);
    let other = server.client.submit(once().input(&2)).await.unwrap_err();
    assert_eq!(other.code(), Some(Code::AlreadyExists));
    let waiting = server.client.result_within::<Value>(&first, Duration::from_millis(10)).await.unwrap_err();
    assert!(matches!(waiting, Error::WaitTimeout { .. }), "{waiting}");
    let explained = server.client.explain(&first).await.unwrap();
    assert!(!explained.summary.is_empty());
    let cancelled = server.client.cancel(&first, "the test is over").await.unwrap();
    assert_eq!(cancelled.state(), JobState::Cancelled);
    let again = server.client.retry(&first).await.unwrap();
    assert_eq!(again.retry_of, first.job_id);
    server.client.cancel(&again, "the test is over").await.unwrap();

    let nameless = Worker::builder(&server.address, "No Name").handle("x", |_: Context, (): ()| async { Ok(()) });
    let refused = within(nameless.build().unwrap().run()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
}
