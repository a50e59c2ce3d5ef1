//! Children of handlers in a program that traces.

use muster::Submission;
use muster::worker::Context;
use opentelemetry::global;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::support::{Server, run, within};

/// The provider is global, so the other tests have spans too.
#[tokio::test]
async fn a_child_is_submitted_in_a_span_under_that_of_its_handler() {
    let Some(server) = Server::find("a_child_is_submitted_in_a_span_under_that_of_its_handler") else { return };
    let exporter = InMemorySpanExporter::default();
    global::set_tracer_provider(SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build());
    for name in ["parent", "child"] {
        server.define_plain(name).await;
    }
    let child = server.name("child");
    let parent = move |context: Context, (): ()| {
        let child = Submission::new(&child);
        async move {
            let children = [context.submit(child).await?];
            let traces: Vec<String> = context.wait(&children).await?;
            Ok(traces)
        }
    };
    let worker = server
        .worker()
        .handle(server.name("child"), |context: Context, (): ()| async move { Ok(context.traceparent().to_owned()) })
        .handle(server.name("parent"), parent)
        .build()
        .unwrap();
    let running = run(worker);
    let job = server.client.submit(server.job("parent")).await.unwrap();
    let traces: Vec<String> = within(server.client.result(&job)).await.unwrap();
    running.stop().await;

    let spans = exporter.get_finished_spans().unwrap();
    let named = |name: String| spans.iter().filter(move |span| span.name == name);
    let handlers: Vec<_> = named(format!("process {}", server.name("parent"))).map(|span| &span.span_context).collect();
    let made: Vec<_> = named(format!("submit {}", server.name("child"))).collect();
    // The handler runs once more when the child has ended, and submits the same child again.
    let within_handler = |id| handlers.iter().any(|handler| handler.span_id() == id);
    assert!(!made.is_empty() && made.iter().all(|span| within_handler(span.parent_span_id)), "{made:?}");
    assert!(made.iter().all(|span| span.span_kind == SpanKind::Producer));
    let trace = handlers[0].trace_id().to_string();
    assert!(traces.iter().all(|traceparent| traceparent.contains(&trace)), "{traces:?} {trace}");
}
