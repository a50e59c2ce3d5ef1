//! Waits for a job's end, by calls that each wait on the server for a limited time.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::calls::{Calls, present};
use super::transport_retry::{Budget, with_retry};
use crate::duration::duration_to_proto;
use crate::error::{Error, JobFailed, Result};
use crate::job_state::is_terminal;
use crate::payload::decode_option;
use crate::transport::{request, within};
use crate::v1;
use crate::v1::job_service_client::JobServiceClient;

/// Maximum time that one call waits on the server.
const POLL: Duration = Duration::from_secs(30);
/// Time added to the call's timeout for the network round trip.
const SLACK: Duration = Duration::from_secs(5);

/// Returns the job when it has ended or the timeout has passed, whichever is first.
pub(crate) async fn wait_for_end(
    calls: &Calls,
    jobs: &JobServiceClient<Channel>,
    job_id: &str,
    timeout: Option<Duration>,
) -> Result<v1::Job> {
    // A timeout that overflows the clock is no bound.
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let left = || end.map_or(POLL, |end| end.saturating_duration_since(Instant::now()));
    // A wait outlives a restart of the control plane: time bounds it, not a number of tries.
    let retry = calls.retry.patient();
    loop {
        let poll = POLL.min(left());
        // The server answers late on purpose.
        let budget = Budget { timeout: poll + SLACK, is_shared: false };
        let answer = with_retry(&retry, budget, |left| {
            let message = v1::WaitJobRequest {
                namespace: calls.namespace.clone(),
                job_id: job_id.to_owned(),
                timeout: Some(duration_to_proto(poll.min(left))),
            };
            let mut jobs = jobs.clone();
            async move { within(left + SLACK, jobs.wait_job(request(message, left + SLACK))).await }
        });
        let job = present(answer.await?.job, "job")?;
        if is_terminal(job.state()) || left().is_zero() {
            return Ok(job);
        }
    }
}

/// The decoded result of the handler.
pub(crate) fn job_result<T: DeserializeOwned>(job: v1::Job) -> Result<T> {
    let state = job.state();
    match job.outcome {
        Some(v1::job::Outcome::Result(ref payload)) if state == v1::JobState::Succeeded => payload.decode(),
        _ if state == v1::JobState::Succeeded => decode_option(None),
        _ if is_terminal(state) => Err(Box::new(JobFailed { job }).into()),
        _ => Err(Error::WaitTimeout { job_id: job.job_id, state }),
    }
}
