/** The control plane's tracing: its environment variables, its spans in OpenTelemetry, and a receiver that is down. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { jobSpans } from '../../../server/domain/events/job-spans.ts';
import { checkProtocol } from '../../../server/telemetry/otel-environment.ts';
import { BoundedExporter } from '../../../server/telemetry/traces/otlp-spans.ts';
import { readableSpan } from '../../../server/telemetry/traces/readable-span.ts';
import { samplingOf, sendsSpans } from '../../../server/telemetry/traces/settings.ts';

const source = {
  resource: resourceFromAttributes({ 'service.name': 'muster' }),
  scope: { name: 'muster', version: '1' },
};
const NOON_US = 1_795_000_000_000_000;
const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
const [job, wait, attempt] = jobSpans({
  jobId: JOB_ID,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  namespace: 'default',
  definition: 'add',
  definitionVersion: 1,
  queue: 'default',
  state: 'FAILED',
  createTimeUs: NOON_US + 1,
  endTimeUs: NOON_US + 2_500_003,
  errorType: 'TypeError',
  attempts: [
    {
      attempt: 1,
      sessionId: JOB_ID,
      workerName: 'w',
      outcome: 'FAILED',
      counted: true,
      assignTimeUs: NOON_US + 1_000_001,
      endTimeUs: NOON_US + 2_500_003,
      errorType: 'TypeError',
    },
  ],
  retryOf: undefined,
  cached: [],
});

describe('the environment of tracing', () => {
  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://x:4318/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318', OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('%j sends spans: %s', (env, sends) => {
    expect(sendsSpans(env)).toBe(sends);
  });

  it('selects the sampling', () => {
    expect(samplingOf({})).toEqual({ followsCaller: true, ratio: 1 });
    expect(samplingOf({ OTEL_TRACES_SAMPLER: 'always_off' })).toEqual({ followsCaller: false, ratio: 0 });
    const some = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.05' };
    expect(samplingOf(some)).toEqual({ followsCaller: true, ratio: 0.05 });
    expect(() => samplingOf({ ...some, OTEL_TRACES_SAMPLER_ARG: '5%' })).toThrow('OTEL_TRACES_SAMPLER_ARG is "5%"');
    expect(() => samplingOf({ OTEL_TRACES_SAMPLER: 'jaeger_remote' })).toThrow(/OTEL_TRACES_SAMPLER .*always_on, /);
  });

  it('with an unsupported protocol is refused with a remedy', () => {
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' };
    checkProtocol(env, 'TRACES', 'spans');
    expect(() => checkProtocol({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'TRACES', 'spans')).toThrow(
      'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc": spans go out as http/protobuf only',
    );
  });
});

describe('a span', () => {
  it('has its kind, its position in the trace, its times to the microsecond, and whether it failed', () => {
    if (!job || !wait || !attempt) throw new Error('there are three spans');
    const [root, waited, tried] = [job, wait, attempt].map((span) => readableSpan(span, source));
    expect([root?.kind, waited?.kind, tried?.kind]).toEqual([SpanKind.CONSUMER, SpanKind.INTERNAL, SpanKind.PRODUCER]);
    expect(root?.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
    expect(tried?.parentSpanContext).toMatchObject({ spanId: job.spanId, isRemote: false });
    expect([root?.startTime, root?.endTime, root?.duration]).toEqual([
      [1_795_000_000, 1_000],
      [1_795_000_002, 500_003_000],
      [2, 500_002_000],
    ]);
    expect([waited?.status.code, tried?.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
    expect(tried?.attributes).toMatchObject({ 'error.type': 'TypeError', 'muster.attempt.outcome': 'FAILED' });
  });
});

it('a span that took no time lasts a nanosecond', () => {
  if (!wait) throw new Error('there is a wait');
  const { startTime, endTime, duration } = readableSpan({ ...wait, endTimeUs: wait.startTimeUs }, source);
  expect([startTime, endTime, duration]).toEqual([
    [1_795_000_000, 1_000],
    [1_795_000_000, 1_001],
    [0, 1],
  ]);
});

describe('a receiver that accepts no spans', () => {
  it('is left alone for a while, is logged once, and gets later spans', async () => {
    let now = 0;
    let takes = false;
    const asked: ReadableSpan[][] = [];
    const reported: string[] = [];
    const otlp: SpanExporter = {
      export(spans, done) {
        asked.push([...spans]);
        done(takes ? { code: 0 } : { code: 1, error: new Error('connect ECONNREFUSED') });
      },
      shutdown: async () => {},
    };
    const log = {
      info() {},
      error() {},
      warn: (facts: object, message: string) => reported.push(`${message} ${JSON.stringify(facts)}`),
    };
    const exporter = new BoundedExporter(otlp, source, { clock: { now: () => now }, log });
    const spans = job && wait ? [job, wait] : [];
    await exporter.export(spans);
    await exporter.export(spans);
    expect(asked.length).toBe(1);
    expect(reported).toEqual([expect.stringContaining('connect ECONNREFUSED')]);
    takes = true;
    now = 30_000;
    await exporter.export(spans);
    expect(asked.length).toBe(2);
    expect(reported[1]).toContain('"dropped":4');
    await exporter.export(Array.from({ length: 4_001 }, () => spans[0]).filter((span) => span !== undefined));
    expect(asked.slice(2).map((batch) => batch.length)).toEqual([2_000, 2_000, 1]);
    expect(reported.length).toBe(2);
  });
});
