//! The program's own set-up of OpenTelemetry: the SDK makes spans because there is one.

use std::env;

use opentelemetry::global;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::trace::SdkTracerProvider;

/// None where `OTEL_EXPORTER_OTLP_ENDPOINT` names no place for spans. The caller shuts it down, which sends the last spans;
/// the name of the service is `OTEL_SERVICE_NAME`.
pub fn set_up() -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    if env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    global::set_tracer_provider(provider.clone());
    Ok(Some(provider))
}
