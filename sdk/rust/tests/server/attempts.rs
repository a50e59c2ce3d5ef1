//! Attempts: checkpoints, and how they are stopped.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use muster::client::{Cancel, LogOptions};
use muster::v1::{JobDefinition, JobState, LogRecord, RetryPolicy};
use muster::worker::{Context, HandlerError, LogLevel, StopReason};
use tokio::sync::Notify;

use crate::support::{Server, failure, run, within};

#[tokio::test]
async fn an_attempt_continues_from_the_checkpoint_of_the_one_before() {
    let Some(server) = Server::find("an_attempt_continues_from_the_checkpoint_of_the_one_before") else { return };
    let policy = RetryPolicy {
        max_attempts: 3,
        min_backoff: Some(prost_types::Duration { seconds: 0, nanos: 1_000_000 }),
        ..Default::default()
    };
    server.define(JobDefinition { name: "steps".into(), retry_policy: Some(policy), ..Default::default() }).await;
    let worker = server
        .worker()
        .handle(server.name("steps"), |context: Context, (): ()| async move {
            let done: u32 = context.last_checkpoint()?.unwrap_or(0);
            context.log_with(LogLevel::Info, "step", [("done", done)]);
            if done == 2 {
                return Ok((done, context.attempt_count()));
            }
            context.checkpoint(&(done + 1))?;
            Err(HandlerError::new("NotYet", "one more"))
        })
        .build()
        .unwrap();
    let running = run(worker);
    let job = server.client.submit(server.job("steps")).await.unwrap();
    let result: (u32, i32) = within(server.client.result(&job)).await.unwrap();
    assert_eq!(result, (2, 2));

    let records = server.client.logs(&job, LogOptions::new());
    let records: Vec<LogRecord> = within(records.try_collect()).await.unwrap();
    let said: Vec<_> = records.iter().map(|record| (&*record.message, &*record.fields["done"])).collect();
    assert_eq!(said, [("step", "0"), ("step", "1"), ("step", "2")]);
    running.stop().await;
}

#[tokio::test]
async fn a_cancelled_handler_is_asked_to_stop() {
    let Some(server) = Server::find("a_cancelled_handler_is_asked_to_stop") else { return };
    server.define_plain("waits").await;
    let entered = Arc::new(Notify::new());
    let worker = server
        .worker()
        .handle(server.name("waits"), {
            let entered = entered.clone();
            move |context: Context, (): ()| {
                let entered = entered.clone();
                async move {
                    context.progress(0.5, "half way");
                    entered.notify_one();
                    context.unless_stopped(std::future::pending::<()>()).await
                }
            }
        })
        .build()
        .unwrap();
    let running = run(worker);
    let job = server.client.submit(server.job("waits")).await.unwrap();
    within(entered.notified()).await;
    let progress = within(async {
        loop {
            if let Some(progress) = server.client.get(&job).await.unwrap().progress {
                return progress;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(progress.await.message, "half way");
    server.client.cancel(&job, Cancel::new("not needed").grace(Duration::from_secs(20))).await.unwrap();
    let ended = within(server.client.wait(&job)).await.unwrap();
    assert_eq!(ended.state(), JobState::Cancelled);
    assert_eq!(running.worker.stats().cancels, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_stopped() {
    let Some(server) = Server::find("a_handler_that_takes_too_long_is_stopped") else { return };
    server.define_plain("slow").await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let worker = server
        .worker()
        .handle(server.name("slow"), move |context: Context, (): ()| {
            let sender = sender.clone();
            async move {
                let reason = context.stopped().await;
                sender.send(reason).unwrap();
                Ok(())
            }
        })
        .build()
        .unwrap();
    let running = run(worker);
    let slow = server.job("slow").run_timeout(Duration::from_millis(200));
    let job = server.client.submit(slow).await.unwrap();
    let failed = failure(within(server.client.result::<()>(&job)).await.unwrap_err());
    assert_eq!(failed.r#type, "RunTimeout");
    assert_eq!(within(receiver.recv()).await, Some(StopReason::RunTimeout));
    running.stop().await;
}
