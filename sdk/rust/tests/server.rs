//! Client and worker against a control plane. Run when `MUSTER_TEST_ADDRESS` names one: `host:port` of its gRPC port.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster::client::JobFilter;
use muster::v1::{JobDefinition, JobState, RetryPolicy};
use muster::worker::{Context, HandlerError, LogLevel, StopReason, WorkerBuilder, WorkerEvent};
use muster::{Client, Code, Error, Payload, Submission, Worker, state_name};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client, and names that no other test has.
struct Server {
    address: String,
    client: Client,
    prefix: String,
}

impl Server {
    /// None: there is no server to test against.
    fn find(test: &str) -> Option<Self> {
        let Ok(address) = std::env::var("MUSTER_TEST_ADDRESS") else {
            eprintln!("{test} is skipped: MUSTER_TEST_ADDRESS is not set");
            return None;
        };
        let client = Client::connect(&address).unwrap();
        let prefix = format!("rust-{}", &Uuid::new_v4().to_string()[..8]);
        Some(Self { address, client, prefix })
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Stores a definition of the test, which is tried only once unless it says otherwise.
    async fn define(&self, definition: JobDefinition) {
        let once = RetryPolicy { max_attempts: 1, ..Default::default() };
        let definition = JobDefinition {
            name: self.name(&definition.name),
            retry_policy: definition.retry_policy.clone().or(Some(once)),
            ..definition
        };
        self.client.apply_definition(definition).await.unwrap();
    }

    async fn define_plain(&self, name: &str) {
        self.define(JobDefinition { name: name.into(), ..Default::default() }).await;
    }

    fn worker(&self) -> WorkerBuilder {
        Worker::builder(&self.address, self.name("worker"))
    }

    fn job(&self, definition: &str) -> Submission {
        Submission::new(self.name(definition))
    }
}

/// A worker that runs, and its end.
struct Running {
    worker: Worker,
    end: JoinHandle<muster::Result<()>>,
}

fn run(worker: Worker) -> Running {
    let end = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    Running { worker, end }
}

impl Running {
    async fn stop(self) {
        within(self.worker.stop()).await;
        self.end.await.unwrap().unwrap();
        assert_eq!(self.worker.session_id(), None);
    }
}

async fn within<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}

/// What the job failed with.
fn failure(error: Error) -> muster::v1::Failure {
    match error {
        Error::JobFailed(failed) => failed.failure().cloned().expect("it has a failure"),
        error => panic!("not a failed job: {error}"),
    }
}

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
            Err::<(), _>(HandlerError::new("CardDeclined", "no money").with_final(true).with_cause(cause))
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
    assert_eq!((&*fails.r#type, &*fails.message, fails.r#final), ("CardDeclined", "no money", true));
    assert_eq!(fails.cause.unwrap().message, "the disk is full");
    let raises = failed("raises", Value::Null).await;
    assert!(raises.r#type.ends_with("ParseIntError"), "{}", raises.r#type);
    let panics = failed("panics", Value::Null).await;
    assert_eq!((&*panics.r#type, &*panics.message), ("Panic", "at the disco"));
    let reads = failed("reads", json!({ "item": 1 })).await;
    assert_eq!((&*reads.r#type, reads.r#final), ("InvalidInput", true));
    running.stop().await;
}

#[tokio::test]
async fn an_attempt_goes_on_from_the_checkpoint_of_the_one_before() {
    let Some(server) = Server::find("an_attempt_goes_on_from_the_checkpoint_of_the_one_before") else { return };
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
                return Ok((done, context.attempts_counted()));
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

    let request = muster::v1::ListAttemptLogsRequest { job_id: job.job_id.clone(), ..Default::default() };
    let mut jobs = muster::v1::job_service_client::JobServiceClient::new(server.client.channel());
    let records = jobs.list_attempt_logs(request).await.unwrap().into_inner().records;
    let said: Vec<_> = records.iter().map(|record| (&*record.message, &*record.fields["done"])).collect();
    assert_eq!(said, [("step", "0"), ("step", "1"), ("step", "2")]);
    running.stop().await;
}

#[tokio::test]
async fn a_cancelled_handler_hears_of_it() {
    let Some(server) = Server::find("a_cancelled_handler_hears_of_it") else { return };
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
    server.client.cancel(&job, "not needed").await.unwrap();
    let ended = within(server.client.wait(&job)).await.unwrap();
    assert_eq!(ended.state(), JobState::Cancelled);
    assert_eq!(running.worker.stats().cancels, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_stopped() {
    let Some(server) = Server::find("a_handler_that_takes_too_long_is_stopped") else { return };
    server.define_plain("slow").await;
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let worker = server
        .worker()
        .handle(server.name("slow"), move |context: Context, (): ()| {
            let told = told.clone();
            async move {
                let reason = context.stopped().await;
                told.send(reason).unwrap();
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
    assert_eq!(within(hears.recv()).await, Some(StopReason::RunTimeout));
    running.stop().await;
}

#[tokio::test]
async fn a_handler_waits_for_children_without_a_slot() {
    let Some(server) = Server::find("a_handler_waits_for_children_without_a_slot") else { return };
    for name in ["parent", "child"] {
        server.define_plain(name).await;
    }
    let runs = Arc::new(AtomicUsize::new(0));
    let child = server.name("child");
    let worker = server
        .worker()
        .slots(1)
        .handle(child.clone(), |_: Context, text: String| async move { Ok(text.len()) })
        .handle(server.name("parent"), {
            let runs = runs.clone();
            move |context: Context, texts: Vec<String>| {
                runs.fetch_add(1, Ordering::Relaxed);
                let child = child.clone();
                async move {
                    let mut children = Vec::new();
                    for text in &texts {
                        children.push(context.submit(Submission::new(&child).input(text)).await?);
                    }
                    let lengths: Vec<usize> = context.wait(&children).await?;
                    Ok(lengths.iter().sum::<usize>())
                }
            }
        })
        .build()
        .unwrap();
    let running = run(worker);
    let job = server.client.submit(server.job("parent").input(&["Emma", "Ulysses"])).await.unwrap();
    assert_eq!(within(server.client.result::<usize>(&job)).await.unwrap(), 11);
    assert!(runs.load(Ordering::Relaxed) > 1);
    running.stop().await;
}

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
        // The one that was not taken stays behind otherwise; the other has ended, which is refused.
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

#[tokio::test]
async fn refusals_are_typed() {
    let Some(server) = Server::find("refusals_are_typed") else { return };
    let missing = server.client.submit(server.job("nowhere")).await.unwrap_err();
    assert_eq!((missing.code(), missing.reason()), (Some(Code::NotFound), "DEFINITION_NOT_FOUND"));
    server.define_plain("urgent").await;
    let wrong = server.client.submit(server.job("urgent").priority(1_000)).await.unwrap_err();
    let call = wrong.call().expect("a call");
    assert_eq!(call.code, Code::InvalidArgument);
    assert_eq!(call.field_violations[0].field, "job.priority");

    let once = || server.job("urgent").idempotency_key(&server.prefix).input(&1);
    let first = server.client.submit(once()).await.unwrap();
    let second = server.client.submit(once()).await.unwrap();
    assert_eq!((first.existing, second.existing), (false, true));
    assert_eq!(first.job_id, second.job_id);
    let other = server.client.submit(once().input(&2)).await.unwrap_err();
    assert_eq!(other.code(), Some(Code::AlreadyExists));
    let waiting = server.client.result_within::<Value>(&first, Duration::from_millis(10)).await.unwrap_err();
    assert!(matches!(waiting, Error::WaitTimeout { .. }), "{waiting}");
    let explained = server.client.explain(&first).await.unwrap();
    assert!(!explained.summary.is_empty());
    let cancelled = server.client.cancel(&first, "the test is over").await.unwrap();
    assert_eq!(cancelled.state(), JobState::Cancelled);
    let again = server.client.retry(&first).await.unwrap();
    assert_eq!(again.retry_of, first.job_id);
    server.client.cancel(&again, "the test is over").await.unwrap();

    let nameless = Worker::builder(&server.address, "No Name").handle("x", |_: Context, (): ()| async { Ok(()) });
    let refused = within(nameless.build().unwrap().run()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
}

#[tokio::test]
async fn events_and_people_end_jobs_that_wait() {
    use muster::client::Event;
    use muster::v1::{ApprovalWait, EventWait, WaitBody, job_definition::Body, wait_body::Kind};

    let Some(server) = Server::find("events_and_people_end_jobs_that_wait") else { return };
    let define = async |name: &str, kind: Kind| {
        let body = Some(Body::Wait(WaitBody { kind: Some(kind) }));
        let definition = JobDefinition { name: server.name(name), body, ..Default::default() };
        server.client.apply_definition(definition).await.unwrap();
    };
    let event = EventWait { name: server.name("paid"), ..Default::default() };
    define("paid", Kind::Event(event)).await;
    define("agreed", Kind::Approval(ApprovalWait {})).await;

    let paid = server.client.submit(server.job("paid")).await.unwrap();
    server.client.send_event(Event::new(server.name("paid")).json(&7)).await.unwrap();
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
