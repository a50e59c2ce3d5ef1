package dev.muster.sdk.internal.worker;

import dev.muster.sdk.MusterException;
import io.grpc.Metadata;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;

/** The span of a submission. The jobs receive its context. */
public final class SubmitSpan {
  private final Span span;
  private final Context context;

  private SubmitSpan(Span span) {
    this.span = span;
    context = Context.current().with(span);
  }

  /**
   * Starts the span.
   *
   * @param address The control plane's address.
   * @param namespace Empty: the default one.
   * @param definitions One per job.
   */
  public static SubmitSpan start(
      Tracing tracing, String address, String namespace, List<String> definitions) {
    // Span names must have few distinct values, so a span of several definitions is not named after
    // one.
    Set<String> names = new HashSet<>(definitions);
    String destination = names.size() == 1 ? definitions.get(0) : "";
    SpanBuilder builder =
        tracing
            .tracer()
            .spanBuilder(destination.isEmpty() ? "submit" : "submit " + destination)
            .setSpanKind(SpanKind.PRODUCER)
            .setAttribute("messaging.system", "muster")
            .setAttribute("muster.namespace", namespace.isEmpty() ? "default" : namespace)
            .setAttribute("messaging.operation.name", "submit")
            .setAttribute("messaging.operation.type", "send");
    if (!destination.isEmpty()) {
      builder
          .setAttribute("messaging.destination.name", destination)
          .setAttribute("muster.definition", destination);
    }
    if (definitions.size() != 1) {
      builder.setAttribute("messaging.batch.message_count", definitions.size());
    }
    serverAttributes(builder, address);
    return new SubmitSpan(builder.startSpan());
  }

  /** Metadata of the call. */
  public Metadata headers() {
    Metadata headers = new Metadata();
    TraceFields fields = TraceFields.of(context);
    put(headers, "traceparent", fields.traceparent());
    put(headers, "tracestate", fields.tracestate());
    return headers;
  }

  /**
   * Ends the span.
   *
   * @param jobId Empty: there is none, or more than one.
   * @param thrown Null: the submission succeeded.
   */
  public void end(String jobId, Throwable thrown) {
    if (!jobId.isEmpty()) {
      span.setAttribute("messaging.message.id", jobId);
    }
    if (thrown != null) {
      Throwable meant = Failures.meant(thrown);
      span.setAttribute("error.type", typeOf(meant));
      span.setStatus(StatusCode.ERROR, meant.toString());
    }
    span.end();
  }

  private static String typeOf(Throwable thrown) {
    if (thrown instanceof MusterException failure) {
      return failure.code().name();
    }
    return thrown instanceof CancellationException ? "CANCELLED" : thrown.getClass().getName();
  }

  /** Host and port of a gRPC target such as {@code dns:///muster:7070}. */
  private static void serverAttributes(SpanBuilder builder, String address) {
    String authority = address.substring(address.lastIndexOf('/') + 1);
    int colon = authority.lastIndexOf(':');
    String port = authority.substring(colon + 1);
    if (colon < 0 || !port.matches("\\d{1,5}")) {
      builder.setAttribute("server.address", authority);
      return;
    }
    builder
        .setAttribute("server.address", authority.substring(0, colon))
        .setAttribute("server.port", Long.parseLong(port));
  }

  private static void put(Metadata headers, String name, String value) {
    if (!value.isEmpty()) {
      headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
    }
  }
}
