//! Helpers of the tests: the server, unique names, running workers.

use std::time::Duration;

use muster::v1::{JobDefinition, RetryPolicy};
use muster::worker::WorkerBuilder;
use muster::{Client, Error, Submission, Worker};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Maximum time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client, and names that no other test uses.
pub struct Server {
    pub address: String,
    pub client: Client,
    pub prefix: String,
}

impl Server {
    /// None: there is no server.
    pub fn find(test: &str) -> Option<Self> {
        let Ok(address) = std::env::var("MUSTER_TEST_ADDRESS") else {
            eprintln!("{test} is skipped: MUSTER_TEST_ADDRESS is not set");
            return None;
        };
        let client = Client::connect(&address).unwrap();
        let prefix = format!("rust-{}", &Uuid::new_v4().to_string()[..8]);
        Some(Self { address, client, prefix })
    }

    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Stores a definition of the test; it has one attempt unless it sets a retry policy.
    pub async fn define(&self, definition: JobDefinition) {
        let once = RetryPolicy { max_attempts: 1, ..Default::default() };
        let definition = JobDefinition {
            name: self.name(&definition.name),
            retry_policy: definition.retry_policy.clone().or(Some(once)),
            ..definition
        };
        self.client.apply_definition(definition).await.unwrap();
    }

    pub async fn define_plain(&self, name: &str) {
        self.define(JobDefinition { name: name.into(), ..Default::default() }).await;
    }

    pub fn worker(&self) -> WorkerBuilder {
        Worker::builder(&self.address, self.name("worker"))
    }

    pub fn job(&self, definition: &str) -> Submission {
        Submission::new(self.name(definition))
    }
}

/// A running worker.
pub struct Running {
    pub worker: Worker,
    pub end: JoinHandle<muster::Result<()>>,
}

pub fn run(worker: Worker) -> Running {
    let end = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run().await }
    });
    Running { worker, end }
}

impl Running {
    pub async fn stop(self) {
        within(self.worker.stop()).await;
        self.end.await.unwrap().unwrap();
        assert_eq!(self.worker.session_id(), None);
    }
}

pub async fn within<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}

/// The failure of the job.
pub fn failure(error: Error) -> muster::v1::Failure {
    match error {
        Error::JobFailed(failed) => failed.failure().cloned().expect("it has a failure"),
        error => panic!("not a failed job: {error}"),
    }
}
