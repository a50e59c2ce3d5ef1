//! Definitions that a worker applies when it runs.

use muster::v1::job_definition::Body;
use muster::v1::{ApplyJobDefinitionRequest, ApplyJobDefinitionResponse, JobDefinition, TaskBody};
use muster::worker::v1::{OpenSessionRequest, OpenSessionResponse};
use muster::worker::{Context, WorkerBuilder};
use muster::{Code, Worker};
use tonic::Status;

use crate::fake_server::FakeServer;

const APPLY: &str = "JobDefinitionService/ApplyJobDefinition";
const OPEN_SESSION: &str = "/muster.worker.v1.SessionService/OpenSession";

fn definition(name: &str) -> JobDefinition {
    JobDefinition { name: name.into(), ..Default::default() }
}

fn builder(server: &FakeServer) -> WorkerBuilder {
    Worker::builder(server.address(), "tester").handle("a", |_: Context, (): ()| async { Ok(()) })
}

#[tokio::test]
async fn they_are_applied_in_the_worker_s_namespace_before_its_session_is_opened() {
    let server = FakeServer::start();
    server.answer::<ApplyJobDefinitionResponse>(APPLY, [Err(Status::unavailable("away"))]);
    server.answer(APPLY, [Ok(ApplyJobDefinitionResponse::default())]);
    server.answer(APPLY, [Ok(ApplyJobDefinitionResponse::default())]);
    server.answer::<OpenSessionResponse>(OPEN_SESSION, [Err(Status::permission_denied("no sessions here"))]);
    let bill = TaskBody { handler: "a".into(), ..Default::default() };
    let worker = builder(&server)
        .definition(definition("a"))
        .definition(JobDefinition { body: Some(Body::Task(bill.clone())), ..definition("bill") })
        .namespace("shop")
        .build()
        .unwrap();
    assert_eq!(worker.run().await.unwrap_err().code(), Some(Code::PermissionDenied));
    worker.ready().await;

    let asked = server.asked::<ApplyJobDefinitionRequest>(APPLY);
    let definitions: Vec<_> = asked.iter().map(|request| request.definition.clone().unwrap()).collect();
    let complete =
        |name, task| JobDefinition { namespace: "shop".into(), body: Some(Body::Task(task)), ..definition(name) };
    let a = complete("a", TaskBody::default());
    assert_eq!(definitions, [a.clone(), a, complete("bill", bill)]);
    assert_eq!(asked[0].request_id, asked[1].request_id);
    assert_ne!(asked[0].request_id, asked[2].request_id);
}

#[tokio::test]
async fn a_refusal_ends_the_worker() {
    let server = FakeServer::start();
    server.answer::<ApplyJobDefinitionResponse>(APPLY, [Err(Status::invalid_argument("a field is wrong"))]);
    let worker = builder(&server).definition(definition("A!")).build().unwrap();
    let error = worker.run().await.unwrap_err();
    assert_eq!(error.code(), Some(Code::InvalidArgument));
    assert!(error.to_string().ends_with("the definition \"A!\": a field is wrong"), "{error}");
    assert!(server.asked::<OpenSessionRequest>(OPEN_SESSION).is_empty());
}

#[tokio::test]
async fn a_worker_that_can_not_apply_them_yet_can_be_stopped() {
    let worker = Worker::builder("127.0.0.1:1", "tester")
        .handle("a", |_: Context, (): ()| async { Ok(()) })
        .definition(definition("a"))
        .build()
        .unwrap();
    let running = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    // The task runs up to its first wait; the worker has started then.
    tokio::task::yield_now().await;
    worker.stop().await;
    running.await.unwrap().unwrap();
    worker.ready().await;
}
