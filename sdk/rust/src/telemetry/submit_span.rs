//! The span of a submission, whose context the jobs are given.

use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::trace_fields::TraceFields;
use super::{messaging_attributes, tracer};
use crate::client::job_ref::SubmittedJob;
use crate::error::{Error, Result};

pub(crate) struct SubmitSpan {
    context: Context,
    /// For the metadata of the call. None: the program traces nothing.
    pub fields: Option<TraceFields>,
}

impl SubmitSpan {
    /// `definitions`: one for each job.
    pub fn start(address: &str, namespace: &str, definitions: &[&str]) -> Self {
        // A span's name has few values: it holds a definition only where there is one.
        let destination = definitions.first().copied().filter(|first| definitions.iter().all(|one| one == first));
        let name = destination.map_or("submit".to_owned(), |destination| format!("submit {destination}"));
        let mut attributes = messaging_attributes(namespace, destination);
        attributes.extend([
            KeyValue::new("server.address", address.to_owned()),
            KeyValue::new("messaging.operation.name", "submit"),
            KeyValue::new("messaging.operation.type", "send"),
        ]);
        if definitions.len() != 1 {
            attributes.push(KeyValue::new("messaging.batch.message_count", definitions.len() as i64));
        }
        let around = Context::current();
        let tracer = tracer();
        let builder = tracer.span_builder(name).with_kind(SpanKind::Producer).with_attributes(attributes);
        let context = around.with_span(tracer.build_with_context(builder, &around));
        let fields = TraceFields::of(context.span().span_context());
        Self { context, fields }
    }

    pub fn end(self, answer: &Result<Vec<SubmittedJob>>) {
        let span = self.context.span();
        match answer {
            Ok(jobs) => {
                if let [job] = &jobs[..] {
                    span.set_attribute(KeyValue::new("messaging.message.id", job.job_id.clone()));
                }
            }
            Err(error) => {
                span.set_attribute(KeyValue::new("error.type", error_type(error)));
                span.set_status(Status::error(error.to_string()));
            }
        }
        span.end();
    }
}

fn error_type(error: &Error) -> String {
    error.code().map_or("_OTHER".into(), |code| format!("{code:?}"))
}
