//! Batches.

use std::time::Duration;

use muster::v1::{Batch, BatchCounts, JobState};
use muster::worker::{Context, HandlerError};

use crate::support::{Server, run, within};

#[tokio::test]
async fn a_batch_takes_members_and_ends_with_them() {
    let Some(server) = Server::find("a_batch_takes_members_and_ends_with_them") else { return };
    for name in ["member", "notified"] {
        server.define_plain(name).await;
    }
    let callback = server.job("notified").input(&serde_json::json!({})).message().unwrap();
    let batch = Batch { max_failed: Some(1), callback: Some(callback), ..Default::default() };
    let batch = server.client.create_batch(batch).await.unwrap();
    let single = batch.submit(server.job("member").input(&0)).await.unwrap();
    let many = batch.submit_many((1..10).map(|count| server.job("member").input(&count))).await.unwrap();
    for member in many.iter().chain([&single]) {
        assert_eq!(server.client.get(member).await.unwrap().parent_job_id, batch.job_id());
    }
    let open = batch.wait_within(Duration::from_millis(10)).await.unwrap();
    assert_eq!((open.sealed, open.job.unwrap().state()), (false, JobState::Waiting));

    let worker = server
        .worker()
        .handle(server.name("member"), |_: Context, count: i32| async move {
            if count == 0 { Err(HandlerError::new("Nothing", "there is nothing")) } else { Ok(()) }
        })
        .handle(server.name("notified"), |_: Context, input: serde_json::Value| async move { Ok(input) });
    let running = run(worker.build().unwrap());
    assert!(batch.seal().await.unwrap().sealed);
    let ended = within(batch.wait()).await.unwrap();
    let counts = BatchCounts { members: 10, succeeded: 9, failed: 1, ..Default::default() };
    assert_eq!((ended.counts, ended.job.unwrap().state()), (Some(counts), JobState::Succeeded));
    let notified: serde_json::Value = within(server.client.result(&ended.callback_job_id)).await.unwrap();
    assert_eq!(notified["batch"], batch.job_id());

    let late = server.client.batch(batch.job_id()).submit(server.job("member")).await.unwrap_err();
    assert_eq!(late.code(), Some(muster::Code::FailedPrecondition));
    running.stop().await;
}
