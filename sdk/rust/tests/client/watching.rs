//! Watches of jobs over streams that break.

use futures::TryStreamExt;
use muster::v1::{Job, JobState, WatchJobRequest, WatchJobResponse};
use tonic::{Code, Status};

use crate::fake_server::FakeServer;

const WATCH_JOB: &str = "JobService/WatchJob";

fn changed(revision: i64, state: JobState) -> Result<WatchJobResponse, Status> {
    let job = Job { job_id: "watched".into(), revision, state: state.into(), ..Default::default() };
    Ok(WatchJobResponse { job: Some(job) })
}

fn gone() -> Result<WatchJobResponse, Status> {
    Err(Status::unavailable("the replica stops"))
}

async fn revisions(server: &FakeServer) -> muster::Result<Vec<i64>> {
    let jobs: Vec<Job> = server.client().watch("watched").try_collect().await?;
    Ok(jobs.iter().map(|job| job.revision).collect())
}

fn asked(server: &FakeServer) -> usize {
    let requests = server.asked::<WatchJobRequest>(WATCH_JOB);
    assert!(requests.iter().all(|request| request.job_id == "watched"));
    requests.len()
}

#[tokio::test]
async fn a_stream_that_breaks_is_asked_for_anew_and_no_change_is_returned_twice() {
    let server = FakeServer::start();
    server.answer(WATCH_JOB, [changed(1, JobState::Ready), changed(2, JobState::Running), gone()]);
    server.answer(WATCH_JOB, [changed(2, JobState::Running)]);
    server.answer(WATCH_JOB, [changed(3, JobState::Running), changed(4, JobState::Succeeded)]);
    assert_eq!(revisions(&server).await.unwrap(), [1, 2, 3, 4]);
    assert_eq!(asked(&server), 3);
}

#[tokio::test]
async fn it_is_given_up_when_too_many_streams_break_in_a_row() {
    let server = FakeServer::start();
    for _ in 0..2 {
        server.answer(WATCH_JOB, [gone()]);
    }
    server.answer(WATCH_JOB, [changed(1, JobState::Ready), gone()]);
    server.answer(WATCH_JOB, [gone()]);
    server.answer::<WatchJobResponse>(WATCH_JOB, []);
    let mut jobs = server.client().watch("watched");
    assert_eq!(jobs.next().await.unwrap().unwrap().revision, 1);
    assert_eq!(jobs.next().await.unwrap_err().code(), Some(Code::Unavailable));
    assert_eq!(jobs.next().await.unwrap(), None);
    assert_eq!(asked(&server), 5);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let server = FakeServer::start();
    server.answer::<WatchJobResponse>(WATCH_JOB, [Err(Status::not_found("there is no such job"))]);
    assert_eq!(revisions(&server).await.unwrap_err().code(), Some(Code::NotFound));
    assert_eq!(asked(&server), 1);
}
