//! Repeats calls that failed for transient reasons, not because of their content.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::error::CallError;

/// Number of tries that share the time of a call to several replicas.
const SHARES: u32 = 3;
const MIN_TRY: Duration = Duration::from_secs(1);

/// How transport failures are repeated. The call's request id keeps a repeat from doing the work twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportRetry {
    /// Maximum number of calls, the first one included. Default: 10.
    pub max_attempts: u32,
    /// Upper bound of the first wait. The bound doubles each time; the wait is random between zero and the bound.
    /// Default: 50 ms.
    pub min_backoff: Duration,
    /// Upper bound of every wait. Default: 2 s.
    pub max_backoff: Duration,
}

impl Default for TransportRetry {
    fn default() -> Self {
        Self { max_attempts: 10, min_backoff: Duration::from_millis(50), max_backoff: Duration::from_secs(2) }
    }
}

impl TransportRetry {
    /// Bounded by time only.
    pub(crate) fn patient(self) -> Self {
        Self { max_attempts: u32::MAX, ..self }
    }

    /// Time until the next try; None if there is none. `random` is from 0 to 1.
    pub(super) fn backoff(&self, attempt: u32, error: &CallError, random: f64) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        // A refusal by a throttle is final: the definition asks for it.
        let overloaded =
            error.code == Code::ResourceExhausted && error.retry_delay.is_some() && error.reason != "THROTTLED";
        if error.code != Code::Unavailable && !overloaded {
            return None;
        }
        let cap = self.min_backoff.saturating_mul(1 << attempt.saturating_sub(1).min(20));
        let wait = cap.min(self.max_backoff).mul_f64(random);
        Some(error.retry_delay.unwrap_or_default() + wait)
    }
}

/// The time of a call, its repeats included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub timeout: Duration,
    /// There are several replicas: one that does not answer costs a share of the time.
    pub is_shared: bool,
}

impl Budget {
    /// The time of a try, if enough is left for another one.
    fn share(self) -> Duration {
        if self.is_shared { MIN_TRY.max(self.timeout / SHARES) } else { self.timeout }
    }
}

/// Makes `call` until it succeeds, fails with a permanent error, or the time has passed. `call` receives the remaining
/// time, or its share.
pub(crate) async fn with_retry<T, Call, Answer>(
    retry: &TransportRetry,
    budget: Budget,
    mut call: Call,
) -> Result<T, CallError>
where
    Call: FnMut(Duration) -> Answer,
    Answer: Future<Output = Result<T, CallError>>,
{
    let end = Instant::now() + budget.timeout;
    let share = budget.share();
    let mut attempt = 1;
    loop {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let is_last = left < share + MIN_TRY || attempt >= retry.max_attempts;
        let error = match call(if is_last { left } else { share }).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let is_overdue = !is_last && error.code == Code::DeadlineExceeded;
        let wait = if is_overdue { Some(Duration::ZERO) } else { retry.backoff(attempt, &error, rand::random()) };
        match wait {
            Some(wait) if Instant::now() + wait < end => tokio::time::sleep(wait).await,
            _ => return Err(error),
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> CallError {
        CallError::new(Code::Unavailable, "nobody is there")
    }

    async fn calls_until(retry: TransportRetry, timeout: Duration, error: CallError) -> (u32, CallError) {
        let mut calls = 0;
        let budget = Budget { timeout, is_shared: false };
        let answer: Result<(), CallError> = with_retry(&retry, budget, |_| {
            calls += 1;
            std::future::ready(Err(error.clone()))
        })
        .await;
        (calls, answer.unwrap_err())
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_not_be_reached_is_asked_a_bounded_number_of_times() {
        let (calls, error) = calls_until(TransportRetry::default(), Duration::from_secs(60), unavailable()).await;
        assert_eq!((calls, error.code), (10, Code::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_goes_beyond_the_timeout() {
        let start = Instant::now();
        let patient = TransportRetry::default().patient();
        let (calls, _) = calls_until(patient, Duration::from_secs(20), unavailable()).await;
        assert!(calls > 10, "{calls}");
        assert!(start.elapsed() <= Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn an_overloaded_server_is_given_the_time_it_asks_for() {
        let start = Instant::now();
        let mut error = CallError::new(Code::ResourceExhausted, "too much");
        error.retry_delay = Some(Duration::from_secs(3));
        let retry = TransportRetry { max_attempts: 2, ..TransportRetry::default() };
        let (calls, _) = calls_until(retry, Duration::from_secs(60), error).await;
        assert_eq!(calls, 2);
        assert!(start.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_several_replicas_that_does_not_answer_costs_a_share_of_the_time() {
        for (seconds, shares) in [(15, vec![5, 5, 5]), (2, vec![1, 1]), (1, vec![1])] {
            let mut given = Vec::new();
            let budget = Budget { timeout: Duration::from_secs(seconds), is_shared: true };
            let answer: Result<(), CallError> = with_retry(&TransportRetry::default(), budget, |time| {
                given.push(time.as_secs());
                async move {
                    tokio::time::sleep(time).await;
                    Err(CallError::new(Code::DeadlineExceeded, "nobody answers"))
                }
            })
            .await;
            assert_eq!((answer.unwrap_err().code, given), (Code::DeadlineExceeded, shares));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        let mut throttled = CallError::new(Code::ResourceExhausted, "throttled");
        throttled.reason = "THROTTLED".into();
        throttled.retry_delay = Some(Duration::from_secs(1));
        for error in [CallError::new(Code::InvalidArgument, "wrong"), throttled] {
            let (calls, _) = calls_until(TransportRetry::default(), Duration::from_secs(60), error).await;
            assert_eq!(calls, 1);
        }
    }
}
