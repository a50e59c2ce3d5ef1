//! Jobs and their logs, followed to the end.

use futures::TryStreamExt;
use muster::client::LogOptions;
use muster::v1::{Job, JobState, LogRecord};
use muster::worker::{Context, LogLevel};

use crate::support::{Server, run, within};

#[tokio::test]
async fn a_job_and_its_logs_are_followed_to_the_end() {
    let Some(server) = Server::find("a_job_and_its_logs_are_followed_to_the_end") else { return };
    server.define_plain("says").await;
    let job = server.client.submit(server.job("says")).await.unwrap();
    let mut watched = server.client.watch(&job);
    let first = within(watched.next()).await.unwrap().unwrap();
    assert_eq!((first.state(), &first.job_id), (JobState::Ready, &job.job_id));

    let worker = server.worker().handle(server.name("says"), |context: Context, (): ()| async move {
        context.log(LogLevel::Info, "one");
        context.log_with(LogLevel::Warn, "two", [("of", 2)]);
        Ok(())
    });
    let running = run(worker.build().unwrap());
    let followed = server.client.logs(&job, LogOptions::new().follow(true));
    let followed: Vec<LogRecord> = within(followed.try_collect()).await.unwrap();
    let said: Vec<_> = followed.iter().map(|record| (record.attempt, record.sequence, &*record.message)).collect();
    assert_eq!(said, [(1, 1, "one"), (1, 2, "two")]);
    assert_eq!((followed[1].level(), &*followed[1].fields["of"]), (LogLevel::Warn, "2"));
    let changes: Vec<Job> = within(watched.try_collect()).await.unwrap();
    assert_eq!(changes.last().unwrap().state(), JobState::Succeeded);
    assert!(changes.iter().all(|change| change.revision > first.revision));

    let listed: Vec<LogRecord> = within(server.client.logs(&job, LogOptions::new()).try_collect()).await.unwrap();
    assert_eq!(listed, followed);
    let none: Vec<LogRecord> = server.client.logs(&job, LogOptions::new().attempt(2)).try_collect().await.unwrap();
    assert_eq!(none, []);
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_followed() {
    let Some(server) = Server::find("what_is_not_there_is_not_followed") else { return };
    let nowhere = "00000000-0000-0000-0000-000000000000";
    let unwatched = within(server.client.watch(nowhere).next()).await.unwrap_err();
    assert_eq!(unwatched.reason(), "JOB_NOT_FOUND");
    for follow in [false, true] {
        let options = LogOptions::new().follow(follow);
        let unread = within(server.client.logs(nowhere, options).next()).await.unwrap_err();
        assert_eq!(unread.reason(), "JOB_NOT_FOUND");
    }
}
