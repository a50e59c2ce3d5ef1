/** Logs of handlers as OpenTelemetry log records, through the real OpenTelemetry SDK into memory. */
import { context, logs, SeverityNumber, trace } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildCalls } from '../../../sdk/typescript/src/worker/children.ts';
import type { LogLine } from '../../../sdk/typescript/src/worker/core/sessions/log-tail.ts';
import { RunningJob } from '../../../sdk/typescript/src/worker/running-job.ts';
import type { StartedAttempt } from '../../../sdk/typescript/src/worker/thread/starts.ts';
import { uuidToBytes } from '../../../server/domain/base/uuid.ts';
import { startTracing, type TestTracing } from '../../support/telemetry/tracing.ts';

const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const started: StartedAttempt = {
  slot: 0,
  ticket: 0,
  attempt: 2,
  handler: 'add',
  definition: 'add',
  definitionVersion: 3,
  namespace: '',
  attemptCount: 0,
  runTimeoutMs: 1_000,
  traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`,
  tracestate: '',
  jobId: uuidToBytes(JOB_ID),
  input: undefined,
  checkpoint: undefined,
};

let exporter: InMemoryLogRecordExporter;
let provider: LoggerProvider;
let printed: unknown[][];

beforeEach(() => {
  printed = [];
  exporter = new InMemoryLogRecordExporter();
  provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  logs.setGlobalLoggerProvider(provider);
});

afterEach(async () => {
  logs.disable();
  await provider.shutdown();
});

function start(): RunningJob {
  const nothing = () => {};
  return new RunningJob(started, {
    maxPayload: 100,
    children: new ChildCalls('127.0.0.1:1', ''),
    progress: nothing,
    checkpoint: nothing,
    extendRunTimeout: nothing,
    logged: nothing,
    log: (...line) => void printed.push(line),
  });
}

const recorded = () => exporter.getFinishedLogRecords();
const spanOf = (index: number) => recorded()[index]?.spanContext;

describe('a log record', () => {
  it('has the text, the time, the severity and the attempt', () => {
    const before = Date.now();
    const job = start();
    job.log('warn', 'two are left', {
      rows: 2,
      last: true,
      file: 'a.csv',
      nested: { a: [1] },
      'muster.definition': 'x',
    });
    const [record] = recorded();
    expect(record).toMatchObject({
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      body: 'two are left',
      instrumentationScope: { name: 'muster-typescript' },
    });
    expect(record?.attributes).toEqual({
      rows: 2,
      last: true,
      file: 'a.csv',
      nested: '{"a":[1]}',
      'messaging.system': 'muster',
      'messaging.destination.name': 'add',
      'messaging.message.id': JOB_ID,
      'muster.namespace': 'default',
      'muster.definition': 'add',
      'muster.definition_version': 3,
      'muster.attempt.number': 2,
    });
    const [seconds = 0, nanos = 0] = record?.hrTime ?? [];
    const writtenMs = seconds * 1_000 + nanos / 1e6;
    expect(Math.round(writtenMs)).toBeGreaterThanOrEqual(before);
    expect(Math.round(writtenMs)).toBe((job.takeLogs()[0] as LogLine).timeMs);
  });

  it('of each level has the severity of that name', () => {
    const job = start();
    for (const level of ['debug', 'info', 'warn', 'error'] as const) job.log(level, '');
    expect(recorded().map(({ severityText, severityNumber }) => [severityText, severityNumber])).toEqual([
      ['DEBUG', 5],
      ['INFO', 9],
      ['WARN', 13],
      ['ERROR', 17],
    ]);
  });

  it('describes an error in its fields as an exception', () => {
    const error = new TypeError('no');
    start().log('error', 'it failed', { error });
    expect(recorded()[0]?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'no',
      'exception.stacktrace': error.stack,
    });
  });

  it('is cut like the stored one, and is written even after the handler has returned', () => {
    const job = start();
    job.log('info', 'x'.repeat(9_000), { y: 'y'.repeat(9_000) });
    expect(String(recorded()[0]?.body).length).toBe(8_192);
    expect(recorded()[0]?.attributes.y).toBeUndefined();
    job.takeLogs();
    job.succeed();
    job.log('info', 'late');
    expect([recorded()[1]?.body, job.takeLogs()]).toEqual(['late', []]);
  });
});

describe('a log record belongs to', () => {
  let tracing: TestTracing | undefined;

  afterEach(async () => {
    await tracing?.stop();
    tracing = undefined;
  });

  it('the span of the handler, or of a span inside it', () => {
    tracing = startTracing();
    const job = start();
    job.run(() => {
      job.log('info', 'in the handler');
      trace.getTracer('shop').startActiveSpan('step', (span) => {
        job.log('info', 'in a step');
        span.end();
      });
    }, undefined);
    job.log('info', 'from elsewhere');
    job.succeed();
    const [step, handler] = tracing.spans;
    expect(handler?.name).toBe('process add');
    const [handlerId, stepId] = [handler?.spanContext().spanId, step?.spanContext().spanId];
    expect([0, 1, 2].map((index) => spanOf(index)?.spanId)).toEqual([handlerId, stepId, handlerId]);
    expect(spanOf(0)?.traceId).toBe(TRACE_ID);
  });

  it('the attempt, when the application does not trace', () => {
    start().log('info', 'hello');
    expect(spanOf(0)).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
    expect(context.active()).toBeDefined();
  });
});

it('a log without a logger provider makes no record, and is stored nevertheless', () => {
  logs.disable();
  const job = start();
  job.log('info', 'hello', { a: 1 });
  expect(job.takeLogs()).toMatchObject([{ sequence: 1, message: 'hello', fields: { a: '1' } }]);
  expect([recorded(), printed.length]).toEqual([[], 1]);
});
