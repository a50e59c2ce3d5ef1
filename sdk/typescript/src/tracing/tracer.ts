/**
 * The application's tracer, and attributes that all spans of this SDK share, after OpenTelemetry's messaging
 * conventions.
 */
import type { Attributes, SpanContext, Tracer } from '@opentelemetry/api';
import { isSpanContextValid, ProxyTracerProvider, trace } from '@opentelemetry/api';
import { SDK } from '../worker/sdk-version.ts';

/** `undefined` if the application has set up no tracing; then no spans are made. */
export function activeTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  if (provider instanceof ProxyTracerProvider) return provider.getDelegateTracer(SDK.name, SDK.version);
  return provider.getTracer(SDK.name, SDK.version);
}

/** @param destination The definition, if all jobs of the span share it. */
export function messagingAttributes(namespace: string, destination: string | undefined): Attributes {
  return {
    'messaging.system': 'muster',
    'muster.namespace': namespace || 'default',
    ...(destination !== undefined && { 'messaging.destination.name': destination, 'muster.definition': destination }),
  };
}

/** A trace context as Muster takes it, whichever propagation format the application uses. */
export interface TraceFields {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** `undefined` if the context is invalid. */
export function traceFields(context: SpanContext): TraceFields | undefined {
  if (!isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = context;
  const flags = traceFlags.toString(16).padStart(2, '0');
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() ?? '' };
}
