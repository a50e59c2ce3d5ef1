//! Jobs that wait for signals and approvals.

use std::time::Duration;

use muster::Payload;
use muster::client::Signal;
use muster::v1::{ApprovalWait, JobDefinition, JobState, SignalWait, WaitBody, job_definition::Body, wait_body::Kind};
use serde_json::{Value, json};

use crate::support::{Server, failure, within};

#[tokio::test]
async fn signals_and_approvals_end_jobs_that_wait() {
    let Some(server) = Server::find("signals_and_approvals_end_jobs_that_wait") else { return };
    let define = async |name: &str, kind: Kind| {
        let body = Some(Body::Wait(WaitBody { kind: Some(kind) }));
        let definition = JobDefinition { name: server.name(name), body, ..Default::default() };
        server.client.apply_definition(definition).await.unwrap();
    };
    let signal = SignalWait { name: server.name("paid"), ..Default::default() };
    define("paid", Kind::Signal(signal)).await;
    define("agreed", Kind::Approval(ApprovalWait {})).await;

    let paid = server.client.submit(server.job("paid")).await.unwrap();
    server.client.send_signal(Signal::new(server.name("paid")).json(&7)).await.unwrap();
    assert_eq!(within(server.client.result::<i32>(&paid)).await.unwrap(), 7);

    let agreed = server.client.submit(server.job("agreed")).await.unwrap();
    let refused = server.client.submit(server.job("agreed")).await.unwrap();
    for job in [&agreed, &refused] {
        within(async {
            while server.client.get(job).await.unwrap().state() != JobState::Waiting {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
    server.client.approve(&agreed, "fine", Some(Payload::json(&1).unwrap())).await.unwrap();
    let result: Value = within(server.client.result(&agreed)).await.unwrap();
    assert_eq!(result, json!({ "approved": true, "comment": "fine", "payload": 1 }));
    server.client.reject(&refused, "no").await.unwrap();
    let failed = failure(within(server.client.result::<Value>(&refused)).await.unwrap_err());
    assert_eq!((&*failed.r#type, &*failed.message), ("Rejected", "no"));
}
