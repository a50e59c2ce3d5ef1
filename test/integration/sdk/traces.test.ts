/** Spans of the TypeScript SDK: created for a traced application, and for no other. */

import { Client, type Job, Worker } from '@muster-jobs/sdk';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';
import { startTracing, type TestTracing } from '../../support/telemetry/tracing.ts';

let replica: TestReplica;
let client: Client;
let worker: Worker;
let running: Promise<void>;
let tracing: TestTracing | undefined;

/** The trace context that a handler sees. */
interface Seen {
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
}

const activeSpan = () => trace.getSpan(context.active())?.spanContext().spanId;

beforeAll(async () => {
  replica = await startTestReplica();
  client = new Client({ address: replica.grpcAddress });
  worker = new Worker({
    address: replica.grpcAddress,
    name: 'traced',
    logger: { log() {} },
    handlers: {
      probe: async (ctx): Promise<Seen> => {
        const before = activeSpan();
        await new Promise((resolve) => setImmediate(resolve));
        const { traceparent, tracestate } = ctx;
        return { before, after: activeSpan(), traceparent, tracestate };
      },
      fail: () => {
        throw new RangeError('too much');
      },
      fan: async () =>
        (await client.submitMany([{ definition: 'probe' }, { definition: 'probe' }])).map(({ jobId }) => jobId),
      parent: async (ctx) => (await ctx.submit('probe')).jobId,
    },
  });
  running = worker.run();
  for (const name of ['probe', 'fan', 'parent']) await client.applyDefinition({ name });
  await client.applyDefinition({ name: 'fail', retryPolicy: { maxAttempts: 1 } });
});

afterEach(async () => {
  await tracing?.stop();
  tracing = undefined;
});

afterAll(async () => {
  await worker?.stop();
  await running;
  client?.close();
  await replica?.stop();
});

async function ended(jobId: string): Promise<Job> {
  return client.wait(jobId);
}

describe('a traced application', () => {
  it('has a span of the submission, and under it one of the handler, active while that runs', async () => {
    tracing = startTracing();
    const { jobId } = await client.submit('probe');
    const seen = await client.result<Seen>(jobId);
    const [submit, ...others] = tracing.named('submit probe');
    const [process] = tracing.named('process probe', { 'messaging.message.id': jobId });
    expect(others).toEqual([]);
    expect(submit).toMatchObject({
      kind: SpanKind.PRODUCER,
      parentSpanContext: undefined,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'messaging.system': 'muster',
        'messaging.operation.name': 'submit',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'probe',
        'messaging.message.id': jobId,
        'muster.namespace': 'default',
        'muster.definition': 'probe',
        'server.address': '127.0.0.1',
        'server.port': Number(replica.grpcAddress.split(':')[1]),
      },
    });
    const { traceId, spanId } = submit?.spanContext() ?? {};
    expect((await client.get(jobId)).traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(process).toMatchObject({
      kind: SpanKind.CONSUMER,
      parentSpanContext: { traceId, spanId, isRemote: true },
      status: { code: SpanStatusCode.UNSET },
      links: [],
      attributes: {
        'messaging.system': 'muster',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'probe',
        'messaging.message.id': jobId,
        'muster.namespace': 'default',
        'muster.definition': 'probe',
        'muster.definition_version': 1,
        'muster.attempt.number': 1,
      },
    });
    const own = process?.spanContext().spanId;
    expect(seen).toEqual({ before: own, after: own, traceparent: `00-${traceId}-${own}-01`, tracestate: '' });
  });

  it('submits jobs of a handler under its span, and several in one call', async () => {
    tracing = startTracing();
    const { jobId } = await client.submit('fan');
    const children = await client.result<string[]>(jobId);
    for (const child of children) await ended(child);
    const [fan] = tracing.named('process fan');
    const [batch] = tracing.named('submit probe');
    expect(batch?.parentSpanContext?.spanId).toBe(fan?.spanContext().spanId);
    expect(batch?.attributes).toMatchObject({ 'messaging.batch.message_count': 2 });
    expect(batch?.attributes).not.toHaveProperty('messaging.message.id');
    expect(tracing.named('process probe').map((span) => span.spanContext().traceId)).toEqual(
      children.map(() => fan?.spanContext().traceId),
    );
  });

  it('submits a child under the span of its handler', async () => {
    tracing = startTracing();
    const { jobId } = await client.submit('parent');
    const child = await client.get(await client.result<string>(jobId));
    const [handler] = tracing.named('process parent');
    const [submit] = tracing.named('submit probe');
    expect(submit?.parentSpanContext?.spanId).toBe(handler?.spanContext().spanId);
    expect(submit?.attributes).toMatchObject({ 'messaging.message.id': child.jobId, 'server.address': '127.0.0.1' });
    expect(child.traceparent).toBe(`00-${submit?.spanContext().traceId}-${submit?.spanContext().spanId}-01`);
  });

  it('has the errors of handlers and calls in its spans', async () => {
    tracing = startTracing();
    await ended((await client.submit('fail')).jobId);
    const [process] = tracing.named('process fail');
    expect(process).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'too much' },
      attributes: { 'error.type': 'RangeError' },
      events: [{ name: 'exception', attributes: { 'exception.type': 'RangeError' } }],
    });
    await expect(client.submit('missing')).rejects.toThrow('missing');
    expect(tracing.named('submit missing')[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'NOT_FOUND' },
    });
  });

  it('keeps a job in the trace that its submission names', async () => {
    tracing = startTracing();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { jobId } = await client.submit('probe', undefined, { traceparent, tracestate: 'vendor=1' });
    const seen = await client.result<Seen>(jobId);
    const [process] = tracing.named('process probe');
    expect(process?.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331' });
    expect(seen.tracestate).toBe('vendor=1');
  });

  it('records nothing of an unsampled trace', async () => {
    tracing = startTracing();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const { jobId } = await client.submit('probe', undefined, { traceparent });
    const seen = await client.result<Seen>(jobId);
    expect(tracing.named('process probe')).toEqual([]);
    expect(seen.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
  });
});

describe('an untraced application', () => {
  it('submits without a trace, and its handlers have none', async () => {
    const { jobId } = await client.submit('probe');
    expect(await client.result(jobId)).toEqual({ traceparent: '', tracestate: '' });
    expect((await client.get(jobId)).traceparent).toBe('');
  });

  it('passes on the trace that a submission names', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { jobId } = await client.submit('probe', undefined, { traceparent });
    expect(await client.result(jobId)).toEqual({ traceparent, tracestate: '' });
  });
});
