/** Streams on the wire, with the test's own handler behind them: ends, refusals, deadlines, cancels, slow readers. */
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import type { ClientReadableStream } from '@grpc/grpc-js';
import {
  JobService,
  type WatchJobResponse,
  WatchJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterEach, describe, expect, it } from 'vitest';
import { Calls } from '../../../../server/api/base/calls.ts';
import { Code } from '../../../../server/api/base/code.ts';
import type { CallContext } from '../../../../server/api/base/context.ts';
import { type GrpcServer, startGrpcServer } from '../../../../server/api/base/servers/grpc-server.ts';
import { IncomingBytes } from '../../../../server/api/base/servers/incoming-bytes.ts';
import type { ServiceBinding } from '../../../../server/api/service.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { Rpc, readAll } from './rpc.ts';

const { watchJob } = JobService.method;

type Behind = (context: CallContext) => AsyncIterable<WatchJobResponse>;

let server: GrpcServer | undefined;
let rpc: Rpc | undefined;
const logged: string[] = [];

afterEach(async () => {
  rpc?.close();
  await server?.stop();
  logged.length = 0;
});

/** Begins a watch with this handler. */
async function begin(behind: Behind, timeoutMs?: number): Promise<ClientReadableStream<WatchJobResponse>> {
  const handlers: ServiceBinding['handlers'] = Object.fromEntries(
    JobService.methods.map((method) => [method.localName, async () => ({})]),
  );
  handlers.watchJob = (_request: unknown, context: CallContext) => behind(context);
  const log = { info() {}, warn() {}, error: (_facts: object, text: string) => void logged.push(text) };
  server = await startGrpcServer([{ service: JobService, handlers }], new Calls(log, { ended: () => {} }), {
    host: '127.0.0.1',
    port: 0,
    incoming: new IncomingBytes(),
  });
  rpc = new Rpc(`127.0.0.1:${server.port}`);
  return rpc.stream(watchJob, {}, timeoutMs === undefined ? {} : { timeoutMs });
}

function message(revision: number, bytes = 0): WatchJobResponse {
  return create(WatchJobResponseSchema, {
    job: { revision: BigInt(revision), input: { data: new Uint8Array(bytes), contentType: 'x' } },
  });
}

/** Waits until its caller has gone. */
function gone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

const revisionsOf = (messages: readonly WatchJobResponse[]) => messages.map(({ job }) => Number(job?.revision));

describe('a gRPC stream', () => {
  it('delivers every message in order, and ends with OK', async () => {
    const call = await begin(async function* () {
      for (let i = 1; i <= 500; i++) yield message(i);
    });
    const { messages, refusal } = await readAll(call);
    expect(refusal).toBeUndefined();
    expect(revisionsOf(messages)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  });

  it('can be refused at once, with details', async () => {
    const call = await begin(
      // biome-ignore lint/correctness/useYield: it has nothing to say
      async function* () {
        throw new EngineError('OVERLOADED', 'come back', { retryAfterMs: 1_500 });
      },
    );
    const { messages, refusal } = await readAll(call);
    expect(messages).toEqual([]);
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'OVERLOADED', retryDelayMs: 1_500 });
  });

  it('can be refused half-way: earlier messages arrive', async () => {
    const call = await begin(async function* () {
      yield message(1);
      throw new EngineError('SHUTTING_DOWN', 'watch again');
    });
    const { messages, refusal } = await readAll(call);
    expect(revisionsOf(messages)).toEqual([1]);
    expect(refusal).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN', message: 'watch again' });
  });

  it('that fails for an internal reason shows only the id of the log entry', async () => {
    const call = await begin(async function* () {
      yield message(1);
      throw new TypeError('a secret');
    });
    const { refusal } = await readAll(call);
    expect(refusal).toMatchObject({ code: Code.INTERNAL, reason: 'INTERNAL' });
    expect(refusal?.message).not.toContain('secret');
    expect(logged).toHaveLength(1);
  });

  it('ends for both sides when its deadline passes', async () => {
    let ended = false;
    const call = await begin(async function* ({ signal }) {
      try {
        yield message(1);
        await gone(signal);
      } finally {
        ended = true;
      }
    }, 2_000);
    const { messages, refusal } = await readAll(call);
    expect(revisionsOf(messages)).toEqual([1]);
    expect(refusal?.code).toBe(Code.DEADLINE_EXCEEDED);
    await eventually('the handler is closed', () => ended);
  });

  it.each(['waits', 'always has more to say'])(
    'is closed when its caller cancels while the handler %s',
    async (how) => {
      let [ended, said] = [false, 0];
      const call = await begin(async function* ({ signal }) {
        try {
          yield message(++said);
          if (how === 'waits') await gone(signal);
          else for (;;) yield message(++said, 1_000);
        } finally {
          ended = true;
        }
      });
      const over = readAll(call);
      await eventually('it is under way', () => said > 0);
      call.cancel();
      expect((await over).refusal?.code).toBe(Code.CANCELLED);
      await eventually('the handler is closed', () => ended);
    },
  );

  it('waits for a slow reader, and closes when that leaves', async () => {
    let [said, ended] = [0, false];
    const size = 100_000;
    const call = await begin(async function* () {
      try {
        for (;;) yield message(++said, size);
      } finally {
        ended = true;
      }
    });
    const read = () => eventually('a message', () => call.read() as WatchJobResponse | null);
    call.pause();
    expect(revisionsOf([await read()])).toEqual([1]);
    // Both ends buffer by themselves: the windows of HTTP/2 and the client's own buffers.
    const settled = async () => {
      for (let before = -1; before !== said; await delay(200)) before = said;
      return said;
    };
    const waiting = await settled();
    expect(waiting * size).toBeLessThan(5_000_000);
    for (let i = 2; i <= waiting; i++) expect(revisionsOf([await read()])).toEqual([i]);
    await eventually('it continues', () => said > waiting);
    call.on('error', () => {});
    call.cancel();
    await eventually('the handler is closed', () => ended);
  });

  it('in progress ends when the server stops, as its handler decides', async () => {
    const { promise: stopping, resolve: stop } = Promise.withResolvers<void>();
    let underWay = false;
    const call = await begin(async function* () {
      yield message(1);
      underWay = true;
      await stopping;
      throw new EngineError('SHUTTING_DOWN', 'watch again');
    });
    const over = readAll(call);
    await eventually('it is under way', () => underWay);
    const stopped = server?.stop();
    stop();
    expect((await over).refusal).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    await stopped;
    server = undefined;
  });
});
