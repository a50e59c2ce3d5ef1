//! The program's set-up of OpenTelemetry, because of which the SDK makes spans.

use std::env;

use opentelemetry::global;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::trace::SdkTracerProvider;

/// `None` if `OTEL_EXPORTER_OTLP_ENDPOINT` is not set. The caller shuts the provider down, which sends the last spans.
/// The name of the service is `OTEL_SERVICE_NAME`.
pub fn set_up() -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    if env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    global::set_tracer_provider(provider.clone());
    Ok(Some(provider))
}
