/** The client of the web entry, over the real HTTP port with Node's fetch: the same calls, answers and errors. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as GrpcClient, Worker } from '@muster-jobs/sdk';
import { Client, Code, defineJob, JobFailedError, JobState, MusterError } from '@muster-jobs/sdk/web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { TcpProxy } from '../../chaos/harness/network/tcp-proxy.ts';
import { eventually } from '../../support/base/eventually.ts';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';

const square = defineJob({ name: 'square', input: z.object({ side: z.number() }), output: z.number() });

let replica: TestReplica;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  replica = await startTestReplica();
  client = new Client({ address: replica.httpAddress });
  await client.applyDefinition(square);
  await client.applyDefinition({ name: 'bytes' });
  await client.applyDefinition({ name: 'failing', retryPolicy: { maxAttempts: 1 } });
  worker = new Worker({
    address: replica.grpcAddress,
    name: 'w',
    logger: { log: () => {} },
    handlers: {
      bytes: (ctx, bytes: Uint8Array) => {
        for (const byte of bytes) ctx.log('info', `byte ${byte}`);
        return bytes.toReversed();
      },
      failing: () => {
        throw new RangeError('not today');
      },
    },
  }).handle(square, (_ctx, { side }) => side * side);
  running = worker.run();
});

afterAll(async () => {
  client?.close();
  await worker?.stop();
  await running;
  await replica?.stop();
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function factsOf(error: unknown) {
  if (!(error instanceof MusterError)) throw error;
  const { code, message, reason, metadata, fieldViolations, retryDelayMs } = error;
  return { code, message, reason, metadata, fieldViolations, retryDelayMs };
}

describe('the web client', () => {
  it('submits typed jobs and returns their results', async () => {
    const jobs = await client.submitMany([2, 3].map((side) => ({ job: square, input: { side } })));
    expect(await Promise.all(jobs.map((job) => client.result(job)))).toEqual([4, 9]);
    const wrong = client.submit(square, { side: 'long' } as never);
    await expect(wrong).rejects.toMatchObject({ reason: 'INPUT_SCHEMA_VIOLATED' });
  });

  it('passes bytes and 64-bit numbers unchanged, and reads logs', async () => {
    const job = await client.submit('bytes', new Uint8Array([0, 128, 255]));
    expect(await client.result(job)).toEqual(new Uint8Array([255, 128, 0]));
    const records = await all(client.logs(job));
    expect(records.map(({ sequence, message }) => [sequence, message])).toEqual([
      [1n, 'byte 0'],
      [2n, 'byte 128'],
      [3n, 'byte 255'],
    ]);
    await client.createQueue('bulk', { maxBacklog: 10 ** 9 });
    expect((await client.getQueue('bulk')).maxBacklog).toBe(10n ** 9n);
  });

  it('watches a job until its end, and events until the reader leaves', async () => {
    await client.applyDefinition({ name: 'unserved' });
    const job = await client.submit('unserved');
    const seen: JobState[] = [];
    for await (const { state } of client.watch(job)) {
      seen.push(state);
      if (state === JobState.READY) await client.pause(job);
      if (state === JobState.PAUSED) await client.cancel(job);
    }
    expect(seen).toEqual([JobState.READY, JobState.PAUSED, JobState.CANCELLED]);
    for await (const { events } of client.watchEvents({ job, after: 0n })) if (events.length > 0) break;
    const stop = new AbortController();
    const watching = all(client.watch(await client.submit('unserved'), { signal: stop.signal }));
    setTimeout(() => stop.abort(), 50);
    await expect(watching).rejects.toMatchObject({ code: Code.CANCELLED });
  });

  it('fails as the client over gRPC does', async () => {
    using grpc = new GrpcClient({ address: replica.grpcAddress });
    const id = '0198c0de-0000-7000-8000-000000000001';
    const calls: ((one: GrpcClient | Client) => Promise<unknown>)[] = [
      (one) => one.get(id),
      (one) => one.submit('missing'),
      (one) => one.submit('bytes', null, { priority: 500 }),
      (one) => one.submit('square', { side: 'long' }),
      (one) => all(one.watch(id)),
    ];
    for (const call of calls) {
      const [here, there] = await Promise.all([client, grpc].map((one) => call(one).then(() => 'an answer', factsOf)));
      expect(here).toEqual(there);
    }
    await expect(client.result(await client.submit('failing'))).rejects.toBeInstanceOf(JobFailedError);
  });

  it('ends calls at their deadline, and by their signal', async () => {
    const job = await client.submit('unserved');
    await expect(client.result(job, { timeoutMs: 100 })).rejects.toMatchObject({ reason: 'WAIT_TIMEOUT' });
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    using other = new Client({ address: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    await expect(other.get(job, { timeoutMs: 100 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    const ended = other.get(job, { signal: AbortSignal.timeout(50) });
    await expect(ended).rejects.toMatchObject({ code: Code.CANCELLED });
    const open = other.get(job);
    setTimeout(() => other.close(), 50);
    await expect(open).rejects.toMatchObject({ code: Code.CANCELLED });
    await new Promise((resolve) => silent.close(resolve).closeAllConnections());
  });

  it('retries while the control plane can not be reached, and reopens a broken stream', async () => {
    const proxy = await TcpProxy.open();
    let tries = 0;
    proxy.aim(() => void tries++);
    const retry = { maxAttempts: 1_000, maxBackoffMs: 50 };
    using late = new Client({ address: `http://127.0.0.1:${proxy.port}`, timeoutMs: 60_000, retry });
    const submitting = late.submit('unserved', { n: 1 });
    await eventually('the client has tried', () => tries > 1);
    proxy.aim(Number(new URL(replica.httpAddress).port));
    const job = await submitting;
    const states: JobState[] = [];
    const watching = (async () => {
      for await (const { state } of late.watch(job)) states.push(state);
    })();
    await eventually('the job is seen', () => states.length === 1);
    expect(proxy.cut()).toBeGreaterThan(0);
    await client.cancel(job);
    await watching;
    expect(states).toEqual([JobState.READY, JobState.CANCELLED]);
    await proxy.close();
  });
});
