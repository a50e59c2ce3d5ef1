//! Spans of handlers and submissions, in a program that has set up OpenTelemetry.

use std::time::Duration;

use muster::client::TransportRetry;
use muster::testing::TestJob;
use muster::worker::{Context, HandlerError};
use muster::{Client, Submission};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One test only: the provider is global.
#[tokio::test]
async fn a_handler_runs_in_a_span_under_that_of_its_attempt() {
    let untraced = TestJob::new().traceparent(PARENT);
    let outcome = untraced.run(|context: Context, (): ()| async move { Ok(context.traceparent().to_owned()) }).await;
    assert_eq!(outcome.result::<String>().unwrap(), PARENT);

    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    global::set_tracer_provider(provider.clone());

    let job = TestJob::new().traceparent(PARENT).definition("resize", 1);
    let outcome = job
        .run(|context: Context, (): ()| async move {
            tokio::task::yield_now().await;
            let active = opentelemetry::Context::current().span().span_context().span_id().to_string();
            Ok((context.traceparent().to_owned(), active))
        })
        .await;
    let (traceparent, active) = outcome.result::<(String, String)>().unwrap();
    let failing = TestJob::new().run(|_: Context, (): ()| async { Err::<(), _>(HandlerError::new("Oops", "no")) });
    failing.await;

    let once = TransportRetry { max_attempts: 1, ..TransportRetry::default() };
    let client = Client::builder("127.0.0.1:1").timeout(Duration::from_secs(10)).retry(once).build().unwrap();
    client.submit(Submission::new("resize")).await.unwrap_err();

    let spans = exporter.get_finished_spans().unwrap();
    let [handled, failed, submitted] = &spans[..] else { panic!("{} spans", spans.len()) };
    assert_eq!((&*handled.name, handled.span_kind.clone()), ("process resize", SpanKind::Consumer));
    assert_eq!(handled.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(handled.parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(handled.span_context.span_id().to_string(), active);
    assert_eq!(traceparent, format!("00-{}-{active}-01", handled.span_context.trace_id()));
    assert_eq!(failed.status, Status::error("no"));
    assert_eq!((&*submitted.name, submitted.span_kind.clone()), ("submit resize", SpanKind::Producer));
    for attribute in [
        KeyValue::new("error.type", "UNAVAILABLE"),
        KeyValue::new("server.address", "127.0.0.1"),
        KeyValue::new("server.port", 1),
    ] {
        assert!(submitted.attributes.contains(&attribute), "{attribute:?}: {:?}", submitted.attributes);
    }
    provider.shutdown().unwrap();
}
