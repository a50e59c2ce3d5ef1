//! Waits for the ends of jobs.

use std::collections::HashMap;

use muster::testing::TestJob;
use muster::v1::{Job, JobState, WaitJobRequest, WaitJobResponse};
use muster::worker::Context;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use uuid::Uuid;

use crate::fake_server::FakeServer;

const WAIT_JOB: &str = "JobService/WaitJob";

fn ended() -> Result<WaitJobResponse, Status> {
    let job = Job { state: JobState::Succeeded.into(), ..Default::default() };
    Ok(WaitJobResponse { job: Some(job) })
}

#[tokio::test]
async fn a_wait_in_a_handler_says_which_job_waits() {
    let server = FakeServer::start();
    for _ in 0..4 {
        server.answer(WAIT_JOB, [ended()]);
    }
    let client = server.client();
    let job_id = Uuid::new_v4();
    let job = TestJob::new().job_id(job_id);
    let outcome = job.run({
        let client = client.clone();
        move |context: Context, (): ()| {
            let client = client.clone();
            async move {
                client.wait("awaited").await?;
                let (unaware, aware) = (client.clone(), client);
                tokio::spawn(async move { unaware.wait("spawned").await }).await??;
                tokio::spawn(context.scope(async move { aware.wait("spawned in scope").await })).await??;
                Ok(())
            }
        }
    });
    assert_eq!(outcome.await.result::<()>(), Ok(()));
    client.wait("outside").await.unwrap();

    let asked = server.asked::<WaitJobRequest>(WAIT_JOB);
    let said: Vec<_> = asked.iter().map(|request| (&*request.job_id, &*request.waiting_job_id)).collect();
    let handled = &*job_id.to_string();
    assert_eq!(said, [("awaited", handled), ("spawned", ""), ("spawned in scope", handled), ("outside", "")]);
}

#[tokio::test]
async fn a_deadlock_ends_the_wait() {
    let server = FakeServer::start();
    let circle = HashMap::from([("circle".to_owned(), "a waits for b, which waits for a".to_owned())]);
    let details = ErrorDetails::with_error_info("DEADLOCK", "muster.dev", circle);
    let deadlock = Status::with_error_details(Code::FailedPrecondition, "they wait for each other", details);
    server.answer::<WaitJobResponse>(WAIT_JOB, [Err(deadlock)]);
    let error = server.client().wait("b").await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Some(Code::FailedPrecondition), "DEADLOCK"));
    assert_eq!(error.call().unwrap().metadata["circle"], "a waits for b, which waits for a");
    assert_eq!(server.asked::<WaitJobRequest>(WAIT_JOB).len(), 1);
}
