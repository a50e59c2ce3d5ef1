//! The span of a submission. The jobs receive its context.

use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use tonic::transport::Uri;

use super::trace_fields::TraceFields;
use super::{messaging_attributes, tracer};
use crate::client::job_ref::SubmittedJob;
use crate::error::{Error, Result};

pub(crate) struct SubmitSpan {
    context: Context,
    /// For the metadata of the call. None: the program does not trace.
    pub fields: Option<TraceFields>,
}

impl SubmitSpan {
    /// `definitions`: one per job.
    pub fn start(address: &str, namespace: &str, definitions: &[&str]) -> Self {
        // Span names must have few distinct values, so a span of several definitions is not named after one.
        let destination = definitions.first().copied().filter(|first| definitions.iter().all(|one| one == first));
        let name = destination.map_or("submit".to_owned(), |destination| format!("submit {destination}"));
        let mut attributes = messaging_attributes(namespace, destination);
        attributes.extend(server_attributes(address));
        attributes.extend([
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

/// Host and port of `host:port` or a URL. With several addresses it is unknown which one receives the call, so they are
/// not split.
fn server_attributes(address: &str) -> Vec<KeyValue> {
    let uri: Option<Uri> = address.parse().ok();
    let Some(host) = uri.as_ref().and_then(Uri::host).filter(|_| !address.contains(',')) else {
        return vec![KeyValue::new("server.address", address.to_owned())];
    };
    let host = KeyValue::new("server.address", host.trim_matches(['[', ']']).to_owned());
    let port = uri.as_ref().and_then(Uri::port_u16).map(|port| KeyValue::new("server.port", i64::from(port)));
    [Some(host), port].into_iter().flatten().collect()
}

/// The code's name as gRPC writes it, such as `NOT_FOUND`.
fn error_type(error: &Error) -> String {
    let Some(code) = error.code() else { return "_OTHER".into() };
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CallError;

    #[test]
    fn an_address_is_split_into_host_and_port() {
        for (address, host, port) in [
            ("127.0.0.1:7070", "127.0.0.1", Some(7070)),
            ("http://muster:7070", "muster", Some(7070)),
            ("https://muster.example", "muster.example", None),
            ("[::1]:7070", "::1", Some(7070)),
            ("a:1, http://b:2", "a:1, http://b:2", None),
        ] {
            let mut wanted = vec![KeyValue::new("server.address", host)];
            wanted.extend(port.map(|port: i64| KeyValue::new("server.port", port)));
            assert_eq!(server_attributes(address), wanted, "{address}");
        }
    }

    #[test]
    fn a_code_has_the_name_that_grpc_gives_it() {
        for (code, name) in [
            (tonic::Code::NotFound, "NOT_FOUND"),
            (tonic::Code::Unavailable, "UNAVAILABLE"),
            (tonic::Code::Cancelled, "CANCELLED"),
        ] {
            assert_eq!(error_type(&Error::from(CallError::new(code, ""))), name);
        }
        assert_eq!(error_type(&Error::InvalidArgument(String::new())), "_OTHER");
    }
}
