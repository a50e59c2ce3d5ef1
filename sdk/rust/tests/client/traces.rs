//! The trace context of submissions.

use muster::Submission;
use muster::v1::{SubmitJobResponse, SubmitJobsResponse};
use opentelemetry::trace::{FutureExt, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tonic::metadata::MetadataMap;

use crate::fake_server::FakeServer;

const SUBMIT_JOB: &str = "JobService/SubmitJob";
const SUBMIT_JOBS: &str = "JobService/SubmitJobs";

/// A context whose active span belongs to another program.
fn within(trace: u128, span: u64, state: &[(&str, &str)]) -> Context {
    let state = TraceState::from_key_value(state.iter().copied()).unwrap();
    let active = SpanContext::new(TraceId::from(trace), SpanId::from(span), TraceFlags::SAMPLED, true, state);
    Context::new().with_remote_span_context(active)
}

fn header<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_submission_carries_the_context_of_its_span() {
    let exporter = InMemorySpanExporter::default();
    global::set_tracer_provider(SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build());
    let server = FakeServer::start();
    server.answer(SUBMIT_JOB, [Ok(SubmitJobResponse { job_id: "one".into(), ..Default::default() })]);
    server.answer(SUBMIT_JOBS, [Ok(SubmitJobsResponse::default())]);
    let client = server.client();

    let (alone, together) = (within(0x1a, 0x2b, &[("vendor", "1")]), within(0x3c, 0x4d, &[]));
    client.submit(Submission::new("traced")).with_context(alone.clone()).await.unwrap();
    client.submit_many([Submission::new("traced")]).with_context(together.clone()).await.unwrap();

    for (around, method, state) in [(alone, SUBMIT_JOB, Some("vendor=1")), (together, SUBMIT_JOBS, None)] {
        let active = around.span().span_context().clone();
        let spans = exporter.get_finished_spans().unwrap();
        let span = spans.iter().find(|it| it.parent_span_id == active.span_id()).expect(method);
        let [metadata] = &server.metadata(method)[..] else { panic!("{method} was not called once") };
        let traceparent = format!("00-{}-{}-01", active.trace_id(), span.span_context.span_id());
        assert_eq!(header(metadata, "traceparent"), Some(&*traceparent), "{method}");
        assert_eq!(header(metadata, "tracestate"), state, "{method}");
    }
}
