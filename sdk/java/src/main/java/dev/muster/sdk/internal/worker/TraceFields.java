package dev.muster.sdk.internal.worker;

import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A W3C trace context, which Muster expects whatever propagation format the program uses.
 *
 * @param traceparent Empty: none.
 * @param tracestate Empty: none.
 */
public record TraceFields(String traceparent, String tracestate) {
  private static final String PARENT = "traceparent";
  private static final String STATE = "tracestate";
  private static final TextMapSetter<Map<String, String>> SETTER = Map::put;
  private static final TextMapGetter<TraceFields> GETTER = new Getter();

  /** The trace context of the span in the context; empty if there is none. */
  public static TraceFields of(Context context) {
    Map<String, String> fields = new HashMap<>();
    W3CTraceContextPropagator.getInstance().inject(context, fields, SETTER);
    return new TraceFields(fields.getOrDefault(PARENT, ""), fields.getOrDefault(STATE, ""));
  }

  /** A context with these fields as the remote parent. */
  Context context() {
    return W3CTraceContextPropagator.getInstance().extract(Context.root(), this, GETTER);
  }

  private static final class Getter implements TextMapGetter<TraceFields> {
    @Override
    public Iterable<String> keys(TraceFields carrier) {
      return List.of(PARENT, STATE);
    }

    @Override
    public String get(TraceFields carrier, String key) {
      if (carrier == null) {
        return null;
      }
      String value = key.equals(PARENT) ? carrier.traceparent : carrier.tracestate;
      return value.isEmpty() ? null : value;
    }
  }
}
