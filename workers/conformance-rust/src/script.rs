//! Runs scripts, step by step.

use std::time::Duration;

use muster::worker::{Child, Context, HandlerError, LogLevel, ProgressCounts};
use muster::{Payload, Submission};
use serde_json::{Value, json};

use crate::step::{Script, Step};

/// An ordinary error.
#[derive(Debug)]
struct Raised(String);

impl std::fmt::Display for Raised {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

/// State that steps share.
struct Run {
    context: Context,
    children: Vec<String>,
    results: Vec<Value>,
}

pub async fn run(context: Context, input: Payload) -> Result<Payload, HandlerError> {
    let script: Script = input.decode()?;
    let mut run = Run { context, children: Vec::new(), results: Vec::new() };
    match run.all(script.steps).await? {
        Some(result) => Ok(result),
        None => Ok(Payload::json(&Value::Null)?),
    }
}

impl Run {
    async fn all(&mut self, steps: Vec<Step>) -> Result<Option<Payload>, HandlerError> {
        for step in steps {
            if let Some(result) = self.one(step).await? {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// `Some`: the script ends with this result.
    async fn one(&mut self, step: Step) -> Result<Option<Payload>, HandlerError> {
        let context = &self.context;
        match step {
            Step::Return { value } => return Ok(Some(Payload::json(&value)?)),
            Step::ReturnBytes { size } => return Ok(Some(Payload::bytes(vec![0; size]))),
            Step::ReturnContext => return Ok(Some(describe(context)?)),
            Step::ReturnChildren => return Ok(Some(Payload::json(&self.results)?)),
            Step::Fail { r#type, message, non_retryable, retry_delay_ms } => {
                let error = HandlerError::new(r#type, message).with_non_retryable(non_retryable);
                return Err(match retry_delay_ms {
                    Some(ms) => error.with_retry_delay(Duration::from_millis(ms)),
                    None => error,
                });
            }
            Step::Raise { message } => return Err(Raised(message).into()),
            Step::Panic { message } => panic!("{message}"),
            Step::Progress { done: Some(done), total, unit, message, .. } => {
                context.progress_counts(ProgressCounts { done, total, unit: &unit }, &message);
            }
            Step::Progress { fraction, message, .. } => context.progress(fraction, &message),
            Step::Checkpoint { value } => context.checkpoint(&value)?,
            Step::Suspend { value } => return Err(context.suspend(&value)?),
            Step::Log { message } => context.log(LogLevel::Info, &message),
            Step::Extend { ms } => context.extend_run_timeout(Duration::from_millis(ms))?,
            Step::Sleep { ms } => {
                let sleep = tokio::time::sleep(Duration::from_millis(ms));
                context.unless_stopped(sleep).await?;
            }
            Step::DeafSleep { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::UntilStopped { then } => {
                let reason = context.stopped().await;
                let then = then.ok_or_else(|| HandlerError::stopped(reason))?;
                return Box::pin(self.all(then)).await;
            }
            Step::Child { definition, input, key } => {
                let mut child = Child::new(Submission::new(definition).input(&input));
                if let Some(key) = key {
                    child = child.key(key);
                }
                self.children.push(context.submit(child).await?);
            }
            Step::WaitChildren => self.results = context.wait(&self.children).await?,
            Step::Exit { code } => std::process::exit(code),
        }
        Ok(None)
    }
}

fn describe(context: &Context) -> muster::Result<Payload> {
    Payload::json(&json!({
        "job_id": context.job_id().to_string(),
        "attempt": context.attempt(),
        "attempt_count": context.attempt_count(),
        "definition": context.definition(),
        "checkpoint": context.last_checkpoint::<Value>()?,
        "traceparent": context.traceparent(),
    }))
}
