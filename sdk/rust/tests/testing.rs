//! Handlers without a control plane.

use std::sync::Arc;
use std::time::Duration;

use muster::testing::TestJob;
use muster::worker::{Context, HandlerError, LogLevel, StopReason};
use muster::{Error, Payload};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Sum {
    a: i64,
    b: i64,
}

#[tokio::test]
async fn inputs_and_results_are_json() {
    let job = TestJob::new().input(&json!({ "a": 1, "b": 2 }));
    let outcome = job.run(|_: Context, sum: Sum| async move { Ok(Sum { a: sum.b, b: sum.a }) }).await;
    assert_eq!(outcome.result(), Ok(Sum { a: 2, b: 1 }));
    assert_eq!(outcome.payload.unwrap().content_type, "application/json");
}

#[tokio::test]
async fn a_missing_input_is_null() {
    let outcome = TestJob::new().run(|_: Context, input: Option<u8>| async move { Ok(input) }).await;
    assert_eq!(outcome.result::<Option<u8>>(), Ok(None));
}

#[tokio::test]
async fn an_input_of_another_shape_is_a_non_retryable_failure() {
    for input in [Payload::json("text").unwrap(), Payload::bytes("1"), Payload::with_type("{", "application/json")] {
        let outcome = TestJob::new().payload(input).run(|_: Context, input: u8| async move { Ok(input) }).await;
        let failure = outcome.failure().unwrap();
        assert_eq!((&*failure.r#type, failure.non_retryable), ("InvalidInput", true));
    }
}

#[tokio::test]
async fn bytes_pass_as_they_are() {
    let sent = Payload::with_type(vec![0, 255], "image/x-test");
    let job = TestJob::new().payload(sent.clone());
    let outcome = job.run_payload(|_: Context, input: Payload| async move { Ok(input) }).await;
    assert_eq!(outcome.payload, Ok(sent));
}

#[tokio::test]
async fn a_handler_suspends_its_job_with_a_checkpoint() {
    let job = TestJob::new();
    job.stop(StopReason::Suspended);
    let outcome = job
        .run(|context: Context, (): ()| async move {
            assert_eq!(context.stopped().await, StopReason::Suspended);
            Err::<(), _>(context.suspend(&json!({ "page": 7 }))?)
        })
        .await;
    assert!(outcome.is_suspended);
    assert_eq!(outcome.checkpoints, [Payload::json(&json!({ "page": 7 })).unwrap()]);

    let small = TestJob::new().max_payload(10);
    let outcome = small
        .run(|context: Context, (): ()| async move { Err::<(), _>(context.suspend("x".repeat(20).as_str())?) })
        .await;
    assert!(!outcome.is_suspended && outcome.failure().unwrap().message.contains("the maximum is 10"));
}

#[tokio::test]
async fn what_a_handler_says_is_kept() {
    let job = TestJob::new().attempt(4).attempt_count(2).definition("resize", 7).last_checkpoint(&[1, 2]);
    let job = job.run_timeout(Duration::from_secs(60));
    let outcome = job
        .run(|context: Context, (): ()| async move {
            assert_eq!((context.attempt(), context.attempt_count(), context.fencing_token()), (4, 2, 4));
            assert_eq!((context.definition(), context.definition_version()), ("resize", 7));
            assert_eq!(context.run_timeout(), Duration::from_secs(60));
            assert_eq!(context.last_checkpoint::<Vec<u8>>()?, Some(vec![1, 2]));
            context.progress(7.0, &"x".repeat(300));
            context.progress(f64::NAN, "lost");
            context.checkpoint(&"here")?;
            context.log(LogLevel::Warn, "careful");
            context.log_with(LogLevel::Info, "read", [("days", 7)]);
            context.extend_run_timeout(Duration::from_secs(1))?;
            context.extend_run_timeout(Duration::from_secs(2))?;
            Ok(())
        })
        .await;
    assert_eq!(outcome.result::<()>(), Ok(()));
    assert_eq!((outcome.progress[0].fraction, outcome.progress[0].message.len()), (1.0, 256));
    assert_eq!(outcome.progress[1].fraction, 0.0);
    assert_eq!(outcome.checkpoints, [Payload::json("here").unwrap()]);
    let said: Vec<_> = outcome.logs.iter().map(|record| (record.sequence, &*record.message)).collect();
    assert_eq!(said, [(1, "careful"), (2, "read")]);
    assert_eq!(outcome.logs[1].fields["days"], "7");
    assert_eq!(outcome.extension, Duration::from_secs(3));
}

#[tokio::test]
async fn what_can_not_be_kept_or_granted_is_refused() {
    let outcome = TestJob::new()
        .max_payload(10)
        .run(|context: Context, (): ()| async move {
            let large = context.checkpoint("more than ten bytes").unwrap_err();
            let none = context.extend_run_timeout(Duration::ZERO).unwrap_err();
            let month = context.extend_run_timeout(Duration::from_secs(31 * 24 * 3_600)).unwrap_err();
            let child = context.submit(muster::Submission::new("child")).await.unwrap_err();
            Ok([large, none, month, child].iter().all(|error| matches!(error, Error::InvalidArgument(_))))
        })
        .await;
    assert_eq!(outcome.result(), Ok(true));
    assert!(outcome.checkpoints.is_empty());
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let outcome =
        TestJob::new().run(|_: Context, divisor: Option<u32>| async move { Ok(1 / divisor.expect("a divisor")) }).await;
    let failure = outcome.failure().unwrap();
    assert_eq!((&*failure.r#type, &*failure.message, failure.non_retryable), ("Panic", "a divisor", false));
}

#[tokio::test]
async fn a_panic_before_the_first_wait_is_one_as_well() {
    let handler = |_: Context, fail: Option<bool>| {
        assert!(fail.is_some(), "nothing was said");
        std::future::ready(Ok(()))
    };
    let outcome = TestJob::new().run(handler).await;
    assert_eq!(outcome.failure().unwrap().message, "nothing was said");
}

#[tokio::test]
async fn a_handler_is_stopped_while_it_runs() {
    let job = TestJob::new();
    let entered = Arc::new(Notify::new());
    let running = tokio::spawn(job.clone().run({
        let entered = entered.clone();
        move |context: Context, (): ()| {
            let entered = entered.clone();
            async move {
                assert_eq!(context.stop_reason(), None);
                entered.notify_one();
                context.unless_stopped(std::future::pending::<()>()).await
            }
        }
    }));
    entered.notified().await;
    job.stop(StopReason::RunTimeout);
    let outcome = running.await.unwrap();
    let failure = outcome.failure().unwrap();
    assert_eq!(failure.r#type, "HandlerStopped");
    assert!(failure.message.ends_with("run_timeout"), "{}", failure.message);
}

#[tokio::test]
async fn what_is_said_after_the_end_is_ignored() {
    let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
    let outcome = TestJob::new()
        .run(move |context: Context, (): ()| {
            let give = give.clone();
            async move {
                give.send(context.clone())?;
                Err::<(), HandlerError>(HandlerError::new("Oops", "no"))
            }
        })
        .await;
    let context = take.recv().await.unwrap();
    context.progress(1.0, "too late");
    assert!(outcome.progress.is_empty());
}
