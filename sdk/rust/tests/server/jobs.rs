//! Jobs from their submission to their result.

use muster::client::JobFilter;
use muster::v1::JobState;
use muster::worker::{Context, HandlerError};
use muster::{Payload, state_name};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Server, failure, run, within};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Order {
    item: String,
    count: u32,
}

#[tokio::test]
async fn jobs_are_submitted_run_and_answered() {
    let Some(server) = Server::find("jobs_are_submitted_run_and_answered") else { return };
    for name in ["double", "bytes"] {
        server.define_plain(name).await;
    }
    let worker = server
        .worker()
        .handle(server.name("double"), |_: Context, order: Order| async move {
            Ok(Order { count: order.count * 2, ..order })
        })
        .handle_payload(server.name("bytes"), |_: Context, input: Payload| async { Ok(input) })
        .build()
        .unwrap();
    let running = run(worker);

    let order = Order { item: "lamp".into(), count: 3 };
    let job = server.client.submit(server.job("double").input(&order).label("of", &server.prefix)).await.unwrap();
    let result: Order = within(server.client.result(&job)).await.unwrap();
    assert_eq!(result, Order { item: "lamp".into(), count: 6 });
    let done = server.client.get(&job).await.unwrap();
    assert_eq!(state_name(done.state()), "SUCCEEDED");

    let sent = Payload::with_type(vec![0, 1, 255], "image/x-test");
    let job = server.client.submit(server.job("bytes").payload(sent.clone())).await.unwrap();
    let ended = within(server.client.wait(&job)).await.unwrap();
    assert_eq!(ended.outcome, Some(muster::v1::job::Outcome::Result(sent)));

    let many = (0..250).map(|count| {
        let order = Order { item: "pen".into(), count };
        server.job("double").input(&order).label("of", &server.prefix)
    });
    let jobs = server.client.submit_many(many).await.unwrap();
    for (count, job) in jobs.iter().enumerate() {
        let result: Order = within(server.client.result(job)).await.unwrap();
        assert_eq!(result.count as usize, 2 * count);
    }
    let mut pages = server.client.list(JobFilter::new().label("of", &server.prefix).page_size(100));
    let mut listed = 0;
    while let Some(job) = pages.next().await.unwrap() {
        assert_eq!(job.state(), JobState::Succeeded);
        listed += 1;
    }
    assert_eq!(listed, 251);
    assert!(running.worker.stats().acknowledged >= 252);
    running.stop().await;
}

#[tokio::test]
async fn failures_say_what_went_wrong() {
    let Some(server) = Server::find("failures_say_what_went_wrong") else { return };
    for name in ["fails", "raises", "panics", "reads"] {
        server.define_plain(name).await;
    }
    let worker = server
        .worker()
        .handle(server.name("fails"), |_: Context, (): ()| async {
            let cause = std::io::Error::other("the disk is full");
            Err::<(), _>(HandlerError::new("CardDeclined", "no money").with_non_retryable(true).with_cause(cause))
        })
        .handle(server.name("raises"), |_: Context, (): ()| async { Ok("x".parse::<u8>()?) })
        .handle(server.name("panics"), |_: Context, (): ()| async {
            if true {
                panic!("at the {}", "disco");
            }
            Ok(())
        })
        .handle(server.name("reads"), |_: Context, order: Order| async { Ok(order) })
        .build()
        .unwrap();
    let running = run(worker);
    let failed = async |definition: &str, input: Value| {
        let job = server.client.submit(server.job(definition).input(&input)).await.unwrap();
        failure(within(server.client.result::<Value>(&job)).await.unwrap_err())
    };

    let fails = failed("fails", Value::Null).await;
    assert_eq!((&*fails.r#type, &*fails.message, fails.non_retryable), ("CardDeclined", "no money", true));
    assert_eq!(fails.cause.unwrap().message, "the disk is full");
    let raises = failed("raises", Value::Null).await;
    assert!(raises.r#type.ends_with("ParseIntError"), "{}", raises.r#type);
    let panics = failed("panics", Value::Null).await;
    assert_eq!((&*panics.r#type, &*panics.message), ("Panic", "at the disco"));
    let reads = failed("reads", json!({ "item": 1 })).await;
    assert_eq!((&*reads.r#type, reads.non_retryable), ("InvalidInput", true));
    running.stop().await;
}

#[tokio::test]
async fn a_job_that_waits_is_paused_and_resumed() {
    let Some(server) = Server::find("a_job_that_waits_is_paused_and_resumed") else { return };
    server.define_plain("paused").await;
    let job = server.client.submit(server.job("paused")).await.unwrap();
    let paused = server.client.pause(&job, "not now").await.unwrap();
    assert_eq!((paused.state(), &*paused.state_reason), (JobState::Paused, "not now"));
    let not_failed = server.client.fail(&job, "he has left").await.unwrap_err();
    assert_eq!(not_failed.reason(), "JOB_NOT_FAILED");
    let ready = server.client.resume(&job).await.unwrap();
    assert_eq!(ready.state(), JobState::Ready);
    server.client.cancel(&job, "the test is over").await.unwrap();
    let over = server.client.pause(&job, "").await.unwrap_err();
    assert_eq!(over.reason(), "JOB_ENDED");
}
