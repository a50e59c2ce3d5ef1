//! Workers that drain, and workers that are dropped.

use std::sync::Arc;

use muster::state_name;
use muster::v1::{JobDefinition, RetryPolicy};
use muster::worker::{Context, WorkerEvent};
use tokio::sync::Notify;

use crate::support::{Server, run, within};

#[tokio::test]
async fn a_worker_that_drains_finishes_what_it_has() {
    let Some(server) = Server::find("a_worker_that_drains_finishes_what_it_has") else { return };
    server.define_plain("long").await;
    let (entered, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let draining = Arc::new(Notify::new());
    let worker = server
        .worker()
        .slots(1)
        .on_event({
            let draining = draining.clone();
            move |event| {
                if event == WorkerEvent::Draining {
                    draining.notify_one();
                }
            }
        })
        .handle(server.name("long"), {
            let (entered, finish) = (entered.clone(), finish.clone());
            move |_: Context, (): ()| {
                let (entered, finish) = (entered.clone(), finish.clone());
                async move {
                    entered.notify_one();
                    finish.notified().await;
                    Ok("done")
                }
            }
        })
        .build()
        .unwrap();
    let running = run(worker);
    let jobs = server.client.submit_many([server.job("long"), server.job("long")]).await.unwrap();
    within(entered.notified()).await;
    let stopping = tokio::spawn(running.stop());
    within(draining.notified()).await;
    finish.notify_one();
    within(stopping).await.unwrap();
    let mut states = Vec::new();
    for job in &jobs {
        states.push(state_name(server.client.get(job).await.unwrap().state()));
    }
    states.sort_unstable();
    assert_eq!(states, ["READY", "SUCCEEDED"]);
    for job in &jobs {
        // One of the jobs would stay behind otherwise; the other has ended, so that its cancel is refused.
        let _ = server.client.cancel(job, "the test is over").await;
    }
}

#[tokio::test]
async fn a_worker_that_is_dropped_gives_its_jobs_back_at_once() {
    let Some(server) = Server::find("a_worker_that_is_dropped_gives_its_jobs_back_at_once") else { return };
    server
        .define(JobDefinition {
            name: "given".into(),
            retry_policy: Some(RetryPolicy::default()),
            ..Default::default()
        })
        .await;
    let entered = Arc::new(Notify::new());
    let first = server
        .worker()
        .handle(server.name("given"), {
            let entered = entered.clone();
            move |context: Context, (): ()| {
                let entered = entered.clone();
                async move {
                    entered.notify_one();
                    context.stopped().await;
                    Ok(0)
                }
            }
        })
        .build()
        .unwrap();
    let running = run(first);
    let job = server.client.submit(server.job("given")).await.unwrap();
    within(entered.notified()).await;
    running.end.abort();
    let second = server.worker().handle(server.name("given"), |_: Context, (): ()| async { Ok(2) }).build().unwrap();
    let running = run(second);
    assert_eq!(within(server.client.result::<i32>(&job)).await.unwrap(), 2);
    running.stop().await;
}
