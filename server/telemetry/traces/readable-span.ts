/** A job's span in the form of OpenTelemetry's exporters. */
import {
  type Attributes,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { JobSpan, SpanLink } from '../../domain/events/job-spans.ts';
import type { TracePhase } from '../../domain/events/trace.ts';

/** A job consumes a caller's submission, an attempt produces work for a worker. */
const kinds: Readonly<Record<TracePhase, SpanKind>> = {
  job: SpanKind.CONSUMER,
  wait: SpanKind.INTERNAL,
  attempt: SpanKind.PRODUCER,
};

export interface SpanSource {
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
}

/** @param span A span that has ended. */
export function readableSpan(span: JobSpan, { resource, scope }: SpanSource): ReadableSpan {
  const { name, phase, attributes, links, startTimeUs, endTimeUs = startTimeUs, parentSpanId } = span;
  const { traceId } = span;
  const tookUs = endTimeUs - startTimeUs;
  return {
    name,
    kind: kinds[phase],
    spanContext: () => contextOf(span, false),
    // The caller's span belongs to another process.
    ...(parentSpanId && { parentSpanContext: contextOf({ traceId, spanId: parentSpanId }, phase === 'job') }),
    startTime: hrTime(startTimeUs),
    endTime: hrTime(endTimeUs, tookUs === 0),
    duration: hrTime(tookUs, tookUs === 0),
    status: { code: span.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: { ...attributes } satisfies Attributes,
    links: links.map((link) => ({ context: contextOf(link, false), attributes: { ...link.attributes } })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf({ traceId, spanId }: Pick<SpanLink, 'traceId' | 'spanId'>, isRemote: boolean): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote };
}

/** @param more Adds a nanosecond: backends take a span of no duration for one of a broken clock. */
function hrTime(timeUs: number, more = false): HrTime {
  return [Math.floor(timeUs / 1e6), (timeUs % 1e6) * 1_000 + (more ? 1 : 0)];
}
