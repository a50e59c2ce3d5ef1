/** Streams over HTTP, with the test's own handler behind a real port: order, refusals, callers that leave, the end. */
import type { DescMethodServerStreaming } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import {
  JobService,
  type WatchJobRequest,
  type WatchJobRequestSchema,
  type WatchJobResponse,
  type WatchJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Calls } from '../../../../server/api/base/calls.ts';
import { Code } from '../../../../server/api/base/code.ts';
import type { CallContext } from '../../../../server/api/base/context.ts';
import { connectHandlers } from '../../../../server/api/base/servers/connect-handlers.ts';
import { type HttpServer, startHttpServer } from '../../../../server/api/base/servers/http-server.ts';
import { IncomingBytes } from '../../../../server/api/base/servers/incoming-bytes.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { dialects, WebClient, WebRefusal } from './web-clients.ts';

type Watch = (request: WatchJobRequest, context: CallContext) => AsyncIterable<WatchJobResponse>;
const method = JobService.method.watchJob as DescMethodServerStreaming<
  typeof WatchJobRequestSchema,
  typeof WatchJobResponseSchema
>;
const log = { info: () => {}, warn: () => {}, error: () => {} };
const metrics = { contentType: 'text/plain', read: async () => '' };
const health = {
  release: { version: '0', protocolVersion: 1 },
  ready: async () => ({ database: true, bus: true, events: true, time: undefined, daysAhead: undefined }),
};

let handler: Watch;
let calls: Calls;
let server: HttpServer;

async function start(): Promise<void> {
  calls = new Calls(log, { ended: () => {} });
  const watchJob: Watch = (request, context) => handler(request, context);
  const routes = connectHandlers([{ service: JobService, handlers: { watchJob } }], calls);
  const access = { hosts: [], corsOrigins: [] };
  server = await startHttpServer(routes, health, {
    host: '127.0.0.1',
    port: 0,
    incoming: new IncomingBytes(),
    access,
    metrics,
    log,
  });
}

beforeAll(start);
afterAll(() => server?.stop());

/** A message of the stream with this job id. */
const message = (jobId: string) => create(method.output, { job: { jobId } });

/** Ids as they arrive; throws WebRefusal. */
async function* watch(dialect: (typeof dialects)[number], settings: { signal?: AbortSignal; timeoutMs?: number } = {}) {
  const { transport } = new WebClient(`http://127.0.0.1:${server.port}`, dialect);
  const { signal, timeoutMs } = settings;
  async function* requests() {
    yield create(method.input, { jobId: 'x' });
  }
  try {
    const answer = await transport.stream(method, signal, timeoutMs, undefined, requests());
    for await (const one of answer.message) yield one.job?.jobId;
  } catch (error) {
    throw new WebRefusal(ConnectError.from(error));
  }
}

describe.each(dialects)('a stream over %s', (dialect) => {
  it('delivers the messages of the handler in order and at once', async () => {
    let go = () => {};
    const first = new Promise<void>((resolve) => {
      go = resolve;
    });
    handler = async function* ({ jobId }) {
      yield message(jobId);
      await first; // only after the caller has seen it
      for (let i = 0; i < 500; i++) yield message(String(i));
    };
    const seen: (string | undefined)[] = [];
    for await (const id of watch(dialect)) {
      seen.push(id);
      go();
    }
    expect(seen).toEqual(['x', ...Array.from({ length: 500 }, (_, i) => String(i))]);
  });

  it('delivers an error with its details, before the first message and after it', async () => {
    for (const messages of [0, 1]) {
      handler = async function* () {
        if (messages > 0) yield message('1');
        throw new EngineError('OVERLOADED', 'too many watchers', { retryAfterMs: 1_500 });
      };
      const stream = watch(dialect);
      if (messages > 0) expect((await stream.next()).value).toBe('1');
      const refusal = (await stream.next().catch((error: unknown) => error)) as WebRefusal;
      expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'OVERLOADED', retryDelayMs: 1_500 });
    }
  });

  it('ends the handler when the caller leaves', async () => {
    const ended: string[] = [];
    handler = async function* (_, { signal }) {
      yield message('1');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended.push((signal.reason as { reason: string }).reason);
    };
    const leave = new AbortController();
    const stream = watch(dialect, { signal: leave.signal });
    await stream.next();
    leave.abort();
    await expect(stream.next()).rejects.toMatchObject({ code: Code.CANCELLED });
    await eventually('the handler is ended', () => ended.length > 0);
    expect(ended).toEqual(['CALL_CANCELLED']);
  });

  it('ends at its deadline', async () => {
    handler = async function* () {
      yield message('1');
      await new Promise(() => {});
    };
    const stream = watch(dialect, { timeoutMs: 2_000 });
    await stream.next();
    await expect(stream.next()).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  });
});

describe('a stopping HTTP port', () => {
  afterEach(start);

  it('refuses new calls, lets running ones end, and then stops', async () => {
    let finish = () => {};
    const end = new Promise<void>((resolve) => {
      finish = resolve;
    });
    handler = async function* () {
      yield message('1');
      await end;
      yield message('2');
    };
    const stream = watch('Connect JSON');
    await stream.next();
    calls.stop();
    await expect(watch('Connect JSON').next()).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
    const start = performance.now();
    const stopped = server.stop();
    finish();
    expect((await stream.next()).value).toBe('2');
    expect((await stream.next()).done).toBe(true);
    await stopped;
    expect(performance.now() - start).toBeLessThan(4_000);
    await expect(watch('Connect JSON').next()).rejects.toBeInstanceOf(WebRefusal);
  });

  it('ends calls that do not end within 5 s', async () => {
    handler = async function* () {
      yield message('1');
      await new Promise(() => {});
    };
    const stream = watch('Connect JSON');
    await stream.next();
    const broken = expect(stream.next()).rejects.toBeInstanceOf(WebRefusal);
    await server.stop();
    await broken;
  });
});
