package dev.muster.sdk.internal.worker;

import dev.muster.sdk.internal.Uuids;
import dev.muster.worker.v1.Assignment;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;

/**
 * The span of a running handler: a child of the control plane's span of the attempt, linked to the
 * previous attempt. If the program does not trace, it is the attempt's own context.
 */
final class HandlerSpan {
  private static final AttributeKey<String> LINK_KIND = AttributeKey.stringKey("muster.link.kind");

  private final Tracer tracer;
  private final Assignment assignment;
  private volatile Context context;
  private volatile Span span = Span.getInvalid();

  HandlerSpan(Tracer tracer, Assignment assignment) {
    this.tracer = tracer;
    this.assignment = assignment;
    context = new TraceFields(assignment.getTraceparent(), assignment.getTracestate()).context();
  }

  /** Starts the span, and makes it current on this thread. */
  Scope start() {
    SpanContext parent = Span.fromContext(context).getSpanContext();
    SpanBuilder builder =
        tracer
            .spanBuilder("process " + assignment.getDefinition())
            .setSpanKind(SpanKind.CONSUMER)
            .setParent(context)
            .setAllAttributes(attributes())
            .setAttribute("messaging.operation.name", "process")
            .setAttribute("messaging.operation.type", "process");
    if (hasAttemptBefore(parent)) {
      String before = AttemptSpanId.of(assignment.getJobId(), assignment.getAttempt() - 1);
      SpanContext linked =
          SpanContext.createFromRemoteParent(
              parent.getTraceId(), before, parent.getTraceFlags(), parent.getTraceState());
      builder.addLink(linked, Attributes.of(LINK_KIND, "retry_of"));
    }
    span = builder.startSpan();
    context = context.with(span);
    return context.makeCurrent();
  }

  /** The trace context for calls of the handler. Empty: there is none. */
  String traceparent() {
    return TraceFields.of(context).traceparent();
  }

  String tracestate() {
    return TraceFields.of(context).tracestate();
  }

  void succeed() {
    harmless(span::end);
  }

  void fail(Throwable thrown) {
    harmless(() -> span.setStatus(StatusCode.ERROR));
    harmless(() -> span.setAttribute("error.type", thrown.getClass().getName()));
    harmless(() -> span.recordException(thrown));
    harmless(() -> span.setStatus(StatusCode.ERROR, thrown.toString()));
    harmless(span::end);
  }

  /** Exceptions and tracers are the program's: if they throw, the job must still end. */
  private static void harmless(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error failed) {
      // The span lacks this information.
    }
  }

  /** False if the control plane sends no spans, because the link's target would not exist. */
  private boolean hasAttemptBefore(SpanContext parent) {
    return parent.isValid()
        && assignment.getAttempt() > 1
        && parent
            .getSpanId()
            .equals(AttemptSpanId.of(assignment.getJobId(), assignment.getAttempt()));
  }

  private Attributes attributes() {
    return Attributes.builder()
        .put("messaging.system", "muster")
        .put("messaging.destination.name", assignment.getDefinition())
        .put("messaging.message.id", Uuids.text(assignment.getJobId()))
        .put("muster.namespace", assignment.getNamespace())
        .put("muster.definition", assignment.getDefinition())
        .put("muster.definition_version", assignment.getDefinitionVersion())
        .put("muster.attempt.number", assignment.getAttempt())
        .build();
  }
}
