/** The application's tracer, and what all spans of this SDK say, after the semantic conventions for messaging. */
import type { Attributes, SpanContext, Tracer } from '@opentelemetry/api';
import { isSpanContextValid, ProxyTracerProvider, trace } from '@opentelemetry/api';
import { SDK } from '../worker/sdk-version.ts';

/** Undefined where the application has set up no tracing: then nothing is made for it. */
export function activeTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  if (provider instanceof ProxyTracerProvider) return provider.getDelegateTracer(SDK.name, SDK.version);
  return provider.getTracer(SDK.name, SDK.version);
}

/** @param destination The definition, where all jobs that the span is about have the same one. */
export function messagingAttributes(namespace: string, destination: string | undefined): Attributes {
  return {
    'messaging.system': 'muster',
    'muster.namespace': namespace || 'default',
    ...(destination !== undefined && { 'messaging.destination.name': destination, 'muster.definition': destination }),
  };
}

/** A trace context as Muster takes it, in whatever form the application hands its own to others. */
export interface TraceFields {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** Undefined where the context is none. */
export function traceFields(context: SpanContext): TraceFields | undefined {
  if (!isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = context;
  const flags = traceFlags.toString(16).padStart(2, '0');
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() ?? '' };
}
