//! Log records: in pages, and over streams that break.

use futures::TryStreamExt;
use muster::client::LogOptions;
use muster::v1::{
    ListAttemptLogsRequest, ListAttemptLogsResponse, LogRecord, WatchAttemptLogsRequest, WatchAttemptLogsResponse,
};
use tonic::Status;

use crate::fake_server::FakeServer;

const LIST: &str = "JobService/ListAttemptLogs";
const WATCH: &str = "JobService/WatchAttemptLogs";

fn records(messages: &[&str]) -> Vec<LogRecord> {
    messages.iter().map(|&message| LogRecord { message: message.into(), ..Default::default() }).collect()
}

async fn read(server: &FakeServer, options: LogOptions) -> Vec<String> {
    let records: Vec<LogRecord> = server.client().logs("logged", options).try_collect().await.unwrap();
    records.into_iter().map(|record| record.message).collect()
}

#[tokio::test]
async fn all_pages_are_read() {
    let server = FakeServer::start();
    for (messages, next) in [(&["a", "b"][..], "second"), (&[], "third"), (&["c"], "")] {
        let next_page_token = next.into();
        let page = ListAttemptLogsResponse { records: records(messages), next_page_token, ..Default::default() };
        server.answer(LIST, [Ok(page)]);
    }
    assert_eq!(read(&server, LogOptions::new().attempt(2)).await, ["a", "b", "c"]);
    let asked = server.asked::<ListAttemptLogsRequest>(LIST);
    let said: Vec<_> = asked.iter().map(|request| (&*request.job_id, request.attempt, &*request.page_token)).collect();
    assert_eq!(said, [("logged", 2, ""), ("logged", 2, "second"), ("logged", 2, "third")]);
}

#[tokio::test]
async fn what_is_followed_continues_where_the_stream_broke() {
    let server = FakeServer::start();
    let new = |messages: &[&str], token: &str, ended| {
        Ok(WatchAttemptLogsResponse { records: records(messages), resume_token: token.into(), ended })
    };
    let gone = Err(Status::unavailable("the replica stops"));
    server.answer(WATCH, [new(&["a"], "after a", false), new(&["b", "c"], "after c", false), gone]);
    server.answer(WATCH, [new(&[], "after c", false), new(&["d"], "after d", true)]);
    assert_eq!(read(&server, LogOptions::new().follow(true)).await, ["a", "b", "c", "d"]);
    let asked = server.asked::<WatchAttemptLogsRequest>(WATCH);
    let said: Vec<_> = asked.iter().map(|request| (&*request.job_id, &*request.resume_token)).collect();
    assert_eq!(said, [("logged", ""), ("logged", "after c")]);
}
