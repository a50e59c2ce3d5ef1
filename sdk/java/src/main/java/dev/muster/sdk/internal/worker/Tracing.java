package dev.muster.sdk.internal.worker;

import dev.muster.worker.v1.Assignment;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Tracer;

/** The program's tracer, if it has one. */
public final class Tracing {
  private final OpenTelemetry openTelemetry;

  /**
   * Uses a given OpenTelemetry.
   *
   * @param openTelemetry Null: the global one, as it is when a handler starts.
   */
  public Tracing(OpenTelemetry openTelemetry) {
    this.openTelemetry = openTelemetry;
  }

  HandlerSpan handlerSpan(Assignment assignment) {
    return new HandlerSpan(tracer(), assignment);
  }

  /** The program's tracer; a no-op tracer if it has set up none. */
  public Tracer tracer() {
    OpenTelemetry used = openTelemetry == null ? GlobalOpenTelemetry.getOrNoop() : openTelemetry;
    return used.getTracer(SdkVersion.NAME, SdkVersion.VERSION);
  }
}
