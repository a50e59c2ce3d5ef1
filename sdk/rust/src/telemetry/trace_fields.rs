//! Trace contexts in W3C form.

use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// A trace context as Muster expects it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TraceFields {
    pub traceparent: String,
    /// Empty: none.
    pub tracestate: String,
}

impl TraceFields {
    /// None if the context is invalid.
    pub fn of(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            traceparent: format!(
                "00-{}-{}-{:02x}",
                context.trace_id(),
                context.span_id(),
                context.trace_flags().to_u8()
            ),
            tracestate: context.trace_state().header(),
        })
    }

    /// None if the text is not a trace context.
    pub fn parse(traceparent: &str, tracestate: &str) -> Option<SpanContext> {
        let mut parts = traceparent.split('-').skip(1);
        let trace_id = TraceId::from_hex(parts.next()?).ok()?;
        let span_id = SpanId::from_hex(parts.next()?).ok()?;
        let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
        let state = TraceState::from_str(tracestate).unwrap_or_default();
        let context = SpanContext::new(trace_id, span_id, TraceFlags::new(flags), true, state);
        context.is_valid().then_some(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_survives_the_way_there_and_back() {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = TraceFields::parse(traceparent, "vendor=1").unwrap();
        assert!(context.is_remote() && context.is_sampled());
        let fields = TraceFields::of(&context).unwrap();
        assert_eq!((&*fields.traceparent, &*fields.tracestate), (traceparent, "vendor=1"));
    }

    #[test]
    fn what_is_no_context_is_none() {
        for text in ["", "00", "00-xyz-1-01", "00-00000000000000000000000000000000-0000000000000000-00"] {
            assert_eq!(TraceFields::parse(text, ""), None, "{text}");
        }
    }
}
