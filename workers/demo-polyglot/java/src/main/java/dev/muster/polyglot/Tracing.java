package dev.muster.polyglot;

import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.io.Closeable;
import java.util.Map;

/** The program's set-up of OpenTelemetry, because of which the SDK makes spans. */
final class Tracing {
  private static final String ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";

  /** Defaults, which the variables {@code OTEL_…} override. */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "otel.exporter.otlp.protocol", "http/protobuf",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  private Tracing() {}

  /**
   * Sends spans from now on, if {@code OTEL_EXPORTER_OTLP_ENDPOINT} is set. The name of the service
   * is {@code OTEL_SERVICE_NAME}. Closing sends the last spans.
   */
  static Closeable setUp() {
    if (System.getenv(ENDPOINT) == null) {
      return () -> {};
    }
    return AutoConfiguredOpenTelemetrySdk.builder()
        .addPropertiesSupplier(() -> DEFAULTS)
        .disableShutdownHook()
        .setResultAsGlobal()
        .build()
        .getOpenTelemetrySdk();
  }
}
