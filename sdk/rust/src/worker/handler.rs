//! Handlers of any type in the form in which the worker calls them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use opentelemetry::context::FutureExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::core::outcome::HandlerOutcome;
use super::handler_error::HandlerError;
use crate::error::Error;
use crate::payload::Payload;
use crate::telemetry::handler_span::HandlerSpan;

type Answer = BoxFuture<'static, Result<Payload, HandlerError>>;

/// A handler with erased types.
pub(crate) type BoxHandler = Arc<dyn Fn(Context) -> Answer + Send + Sync>;

/// Decodes the input from JSON and encodes the result as JSON.
pub(crate) fn typed<In, Out, F, Fut>(handler: F) -> BoxHandler
where
    F: Fn(Context, In) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Out, HandlerError>> + Send + 'static,
    In: DeserializeOwned,
    Out: Serialize,
{
    Arc::new(move |context| {
        let input = crate::payload::decode_option(context.input());
        let running = input.map(|input| handler(context, input));
        Box::pin(async move {
            let output = running.map_err(|error| unreadable("InvalidInput", error))?.await?;
            Payload::json(&output).map_err(|error| unreadable("InvalidResult", error))
        })
    })
}

/// Passes input and result byte for byte.
pub(crate) fn raw<F, Fut>(handler: F) -> BoxHandler
where
    F: Fn(Context, Payload) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Payload, HandlerError>> + Send + 'static,
{
    Arc::new(move |context| {
        let input = context.input().cloned().unwrap_or_default();
        Box::pin(handler(context, input))
    })
}

/// Runs a handler in its span. A panic is a failure of type `Panic`.
pub(crate) async fn execute(handler: &BoxHandler, context: Context, span: HandlerSpan) -> HandlerOutcome {
    let calling = AssertUnwindSafe(async { handler(context.clone()).await });
    let answer = calling.catch_unwind().with_context(span.context()).await;
    context.end();
    let answer = answer.unwrap_or_else(|panic| Err(HandlerError::new("Panic", panic_message(&*panic))));
    let outcome = match answer {
        Ok(payload) => HandlerOutcome::Result(payload),
        Err(error) => match error.into_parts() {
            Ok(failure) => HandlerOutcome::Failure(failure),
            Err(child_ids) => HandlerOutcome::Suspended(child_ids),
        },
    };
    span.end(match &outcome {
        HandlerOutcome::Failure(failure) => Some(failure),
        _ => None,
    });
    outcome
}

/// A non-retryable failure: another attempt would fail in the same way.
fn unreadable(kind: &str, error: Error) -> HandlerError {
    HandlerError::new(kind, error.to_string()).with_non_retryable(true)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the handler panicked with a value that is not text".into())
}
