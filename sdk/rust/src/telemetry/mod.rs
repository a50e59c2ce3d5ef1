//! The spans of this crate, following the semantic conventions for messaging. They go to the global OpenTelemetry
//! tracer provider of the program, and cost next to nothing if it has set up none.

pub(crate) mod attempt_span_id;
pub(crate) mod handler_span;
pub(crate) mod submit_span;
pub(crate) mod trace_fields;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::{InstrumentationScope, KeyValue};

fn tracer() -> BoxedTracer {
    let scope = InstrumentationScope::builder(crate::SDK_NAME).with_version(crate::SDK_VERSION);
    global::tracer_with_scope(scope.build())
}

/// `destination`: the definition, if all jobs of the span have the same one.
fn messaging_attributes(namespace: &str, destination: Option<&str>) -> Vec<KeyValue> {
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    let mut attributes =
        vec![KeyValue::new("messaging.system", "muster"), KeyValue::new("muster.namespace", namespace.to_owned())];
    if let Some(destination) = destination {
        attributes.push(KeyValue::new("messaging.destination.name", destination.to_owned()));
        attributes.push(KeyValue::new("muster.definition", destination.to_owned()));
    }
    attributes
}
