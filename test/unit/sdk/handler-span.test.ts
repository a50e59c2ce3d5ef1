/** The handler's span when the control plane sends spans: child of the attempt's, linked to the previous attempt. */
import { trace } from '@opentelemetry/api';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { attemptSpanId } from '../../../sdk/typescript/src/tracing/attempt-span-id.ts';
import { HandlerSpan } from '../../../sdk/typescript/src/tracing/handler-span.ts';
import type { StartedAttempt } from '../../../sdk/typescript/src/worker/thread/starts.ts';
import { uuidToBytes } from '../../../server/domain/base/uuid.ts';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { startTracing, type TestTracing } from '../../support/telemetry/tracing.ts';

const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

let tracing: TestTracing;

beforeEach(() => {
  tracing = startTracing();
});
afterEach(() => tracing.stop());

function started(attempt: number, spanId: string, tracestate = ''): StartedAttempt {
  return {
    slot: 0,
    ticket: 0,
    attempt,
    handler: 'add',
    definition: 'add',
    definitionVersion: 3,
    namespace: 'shop',
    attemptCount: 0,
    runTimeoutMs: 1_000,
    traceparent: `00-${TRACE_ID}-${spanId}-01`,
    tracestate,
    jobId: uuidToBytes(JOB_ID),
    input: undefined,
    checkpoint: undefined,
  };
}

it('the ids of spans are those of the control plane', () => {
  for (const attempt of [1, 2, 255, 256, 65_536, 2 ** 31 - 1])
    expect(attemptSpanId(uuidToBytes(JOB_ID), attempt)).toBe(spanIdOf(JOB_ID, attempt, 'attempt'));
});

it('the span is a child of the attempt, and links to the previous attempt', () => {
  HandlerSpan.start(started(2, spanIdOf(JOB_ID, 2, 'attempt'), 'vendor=1'))?.succeed();
  const [span] = tracing.named('process add');
  expect(span?.parentSpanContext?.spanId).toBe(spanIdOf(JOB_ID, 2, 'attempt'));
  expect(span?.links.map(({ context, attributes }) => [context.traceId, context.spanId, attributes])).toEqual([
    [TRACE_ID, spanIdOf(JOB_ID, 1, 'attempt'), { 'muster.link.kind': 'retry_of' }],
  ]);
  expect(span?.spanContext().traceState?.serialize()).toBe('vendor=1');
  expect(span?.attributes).toMatchObject({ 'muster.namespace': 'shop', 'muster.definition_version': 3 });
});

it('the span has no link in a first attempt, or when the control plane sends no spans', () => {
  HandlerSpan.start(started(1, spanIdOf(JOB_ID, 1, 'attempt')))?.succeed();
  HandlerSpan.start(started(2, 'b7ad6b7169203331'))?.succeed();
  expect(tracing.spans.map(({ links }) => links)).toEqual([[], []]);
});

it('the span does not exist without tracing', async () => {
  await tracing.stop();
  expect(HandlerSpan.start(started(1, 'b7ad6b7169203331'))).toBeUndefined();
  tracing = startTracing();
});

it('the span ends, whatever was thrown', () => {
  HandlerSpan.start(started(1, spanIdOf(JOB_ID, 1, 'attempt')))?.fail(Object.create(null));
  const [span] = tracing.named('process add');
  expect(span?.status).toMatchObject({ code: 2, message: "a object that can't be written as text" });
  expect(span?.attributes['error.type']).toBe('_OTHER');
});

it('the span does not exist when the tracer fails', () => {
  using _tracer = vi.spyOn(trace, 'getTracerProvider').mockImplementation(() => {
    throw new Error('no tracer');
  });
  expect(HandlerSpan.start(started(1, spanIdOf(JOB_ID, 1, 'attempt')))).toBeUndefined();
});
