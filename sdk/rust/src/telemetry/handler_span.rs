//! The span of a running handler: a child of the control plane's span of the attempt, linked to the previous attempt.

use opentelemetry::trace::{Link, SpanContext, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use uuid::Uuid;

use super::attempt_span_id::attempt_span_id;
use super::trace_fields::TraceFields;
use super::{messaging_attributes, tracer};
use crate::v1;
use crate::worker::v1 as protocol;

pub(crate) struct HandlerSpan {
    context: Context,
    /// None if the program does not trace.
    fields: Option<TraceFields>,
}

impl HandlerSpan {
    pub fn start(assignment: &protocol::Assignment, job_id: &Uuid) -> Self {
        let parent = TraceFields::parse(&assignment.traceparent, &assignment.tracestate);
        let around = match &parent {
            Some(parent) => Context::new().with_remote_span_context(parent.clone()),
            None => Context::new(),
        };
        let mut attributes = messaging_attributes(&assignment.namespace, Some(&assignment.definition));
        attributes.extend([
            KeyValue::new("messaging.message.id", job_id.to_string()),
            KeyValue::new("muster.definition_version", i64::from(assignment.definition_version)),
            KeyValue::new("muster.attempt.number", i64::from(assignment.attempt)),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
        ]);
        let tracer = tracer();
        let builder = tracer
            .span_builder(format!("process {}", assignment.definition))
            .with_kind(SpanKind::Consumer)
            .with_links(links(assignment, job_id, parent.as_ref()))
            .with_attributes(attributes);
        let context = around.with_span(tracer.build_with_context(builder, &around));
        let own = context.span().span_context().clone();
        // A tracer that creates no spans returns the parent's context as the span's.
        let traced = parent.is_none_or(|parent| parent.span_id() != own.span_id());
        let fields = if traced { TraceFields::of(&own) } else { None };
        Self { context, fields }
    }

    /// The context in which the span is the active one.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// The trace context for calls of the handler. None: the program does not trace.
    pub fn fields(&self) -> Option<&TraceFields> {
        self.fields.as_ref()
    }

    /// Ends the span when the handler has returned. `failure` is the handler's failure, if any.
    pub fn end(self, failure: Option<&v1::Failure>) {
        let span = self.context.span();
        if let Some(failure) = failure {
            span.add_event(
                "exception",
                vec![
                    KeyValue::new("exception.type", failure.r#type.clone()),
                    KeyValue::new("exception.message", failure.message.clone()),
                    KeyValue::new("exception.stacktrace", failure.stack_trace.clone()),
                ],
            );
            span.set_attribute(KeyValue::new("error.type", failure.r#type.clone()));
            span.set_status(Status::error(failure.message.clone()));
        }
        span.end();
    }
}

/// No links if the control plane sends no spans, because the link's target would not exist.
fn links(assignment: &protocol::Assignment, job_id: &Uuid, parent: Option<&SpanContext>) -> Vec<Link> {
    let attempt = assignment.attempt;
    let Some(parent) = parent.filter(|it| attempt >= 2 && it.span_id() == attempt_span_id(job_id, attempt)) else {
        return Vec::new();
    };
    let before = SpanContext::new(
        parent.trace_id(),
        attempt_span_id(job_id, attempt - 1),
        parent.trace_flags(),
        true,
        parent.trace_state().clone(),
    );
    vec![Link::new(before, vec![KeyValue::new("muster.link.kind", "retry_of")], 0)]
}
