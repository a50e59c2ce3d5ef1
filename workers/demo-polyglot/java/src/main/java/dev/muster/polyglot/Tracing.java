package dev.muster.polyglot;

import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.io.Closeable;
import java.util.Map;

/** The program's own set-up of OpenTelemetry: the SDK makes spans because there is one. */
final class Tracing {
  private static final String ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";

  /** What the variables {@code OTEL_…} do not say otherwise. */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "otel.exporter.otlp.protocol", "http/protobuf",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  private Tracing() {}

  /**
   * Where {@code OTEL_EXPORTER_OTLP_ENDPOINT} names a place for spans, they are sent there from now
   * on. The name of the service is {@code OTEL_SERVICE_NAME}. Closing sends the last ones.
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
