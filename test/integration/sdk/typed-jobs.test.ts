/** Typed jobs on a real control plane, stored and run by a worker; and workers that store their definitions. */
import { Client, Code, defineJob, type JobContext, JobFailedError, MusterError, Worker } from '@muster-jobs/sdk';
import { type } from 'arktype';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { TcpProxy } from '../../chaos/harness/network/tcp-proxy.ts';
import { eventually } from '../../support/base/eventually.ts';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';

const logger = { log: () => {} };
/** JSON Schema knows its type, not its check. */
const day = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no day')
  .transform((text) => new Date(text));
const photo = defineJob({
  name: 'photo',
  retryPolicy: { maxAttempts: 1 },
  input: z.object({
    width: z.number(),
    unit: z.string().default('px'),
    taken: day,
  }),
  output: z.object({ pixels: z.int(), year: z.int() }),
});
const album = defineJob({
  name: 'album',
  input: type({ widths: 'number[]' }),
  output: type({ total: 'number' }),
});
const plain = defineJob<number, number>({ name: 'plain', body: { case: 'task', value: { handler: 'twice' } } });

let replica: TestReplica;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  replica = await startTestReplica();
  client = new Client({ address: replica.grpcAddress });
  worker = new Worker({ address: replica.grpcAddress, name: 'typed', definitions: [photo, album, plain], logger })
    .handle(photo, async (_ctx, { width, unit, taken }) => {
      // The schema of the result has no unit, and leaves it out.
      return { pixels: unit === 'px' ? width : Number.NaN, year: taken.getUTCFullYear(), unit };
    })
    .handle(album, async (ctx, { widths }) => {
      const children = [];
      for (const width of widths) children.push(await ctx.submit(photo, { width, taken: '2026-05-01' }));
      const photos = await ctx.wait(children);
      return { total: photos.reduce((sum, { pixels }) => sum + pixels, 0) };
    })
    .handle(plain, (_ctx, n) => 2 * n);
  running = worker.run();
  await worker.ready();
});

afterAll(async () => {
  await worker?.stop();
  await running;
  client?.close();
  await replica?.stop();
});

describe('a typed job', () => {
  it('is stored by the worker, and runs with transformed inputs and results', async () => {
    expect(await client.checkDefinition(photo)).toMatchObject({ created: false, definition: { version: 1 } });
    const job = await client.submit(photo, { width: 20, taken: '2026-05-01' });
    expect(await client.result(job)).toEqual({ pixels: 20, year: 2026 });
    const { input } = await client.get(job);
    expect(JSON.parse(new TextDecoder().decode(input?.data))).toEqual({ width: 20, taken: '2026-05-01' });
  });

  it('submits and awaits typed children', async () => {
    const job = await client.submit(album, { widths: [1, 2, 3] });
    expect(await client.result(job)).toEqual({ total: 6 });
  });

  it('runs under the name of another handler, and in a batch', async () => {
    const batch = await client.createBatch();
    const jobs = await batch.submitMany([1, 2].map((input) => ({ job: plain, input })));
    expect(await Promise.all(jobs.map((job) => client.result(job)))).toEqual([2, 4]);
    const [one] = await client.submitMany([{ job: photo, input: { width: 1, taken: '2025-05-01' } }]);
    expect(one && (await client.result(one))).toEqual({ pixels: 1, year: 2025 });
  });

  it('is refused by client, control plane or worker when its input does not fit', async () => {
    const wrong = { width: 20, taken: 'yesterday' };
    const refused = { code: Code.INVALID_ARGUMENT, reason: 'INPUT_SCHEMA_VIOLATED' };
    await expect(client.submit(photo, wrong)).rejects.toMatchObject(refused);
    await expect(client.submit('photo', { width: 'wide' })).rejects.toMatchObject(refused);
    // It fits the JSON Schema, but not the worker's check.
    const failed: unknown = await client.result(await client.submit('photo', wrong)).catch((error) => error);
    expect(failed).toBeInstanceOf(JobFailedError);
    expect((failed as JobFailedError).message).toMatch(
      /NonRetryableError: the input of photo does not fit .* taken: is no day/,
    );
  });

  it('fails when its result does not fit', async () => {
    const half = client.submit(photo, { width: 0.5, taken: '2026-05-01' });
    await expect(client.result(await half)).rejects.toThrow(/OutputSchemaViolation: .* pixels: /);
  });
});

describe('a worker with definitions', () => {
  const add = (_ctx: JobContext, { a, b }: { a: number; b: number }) => a + b;

  it('stores them in its namespace before its session, and a later one makes the newest version', async () => {
    using other = new Client({ address: replica.grpcAddress, namespace: 'other' });
    for (const [version, queue] of ['first', 'second', 'second'].entries()) {
      const options = { address: replica.grpcAddress, name: 'w', namespace: 'other', logger };
      const one = new Worker({ ...options, definitions: [{ name: 'add', queue }], handlers: { add } });
      const finished = one.run();
      expect(await other.result(await submitSoon(other, 'add'), { timeoutMs: 60_000 })).toBe(5);
      await one.stop();
      await finished;
      expect(await other.getDefinition('add')).toMatchObject({ queue, version: Math.min(2, version + 1) });
    }
    await expect(client.getDefinition('add')).rejects.toMatchObject({ reason: 'DEFINITION_NOT_FOUND' });
  });

  it('ends with the refusal of one', async () => {
    const events: string[] = [];
    const definitions = [{ name: 'stored' }, { name: 'refused', priority: 500 }];
    const options = { address: replica.grpcAddress, name: 'w', logger, definitions };
    const error = await new Worker({ ...options, onEvent: (event) => events.push(event) })
      .run()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(MusterError);
    expect(error).toMatchObject({ code: Code.INVALID_ARGUMENT, message: expect.stringContaining('priority') });
    expect(events).toEqual([]);
    expect((await client.getDefinition('stored')).version).toBe(1);
  });

  it('waits until the control plane can be reached', async () => {
    const proxy = await TcpProxy.open();
    let tries = 0;
    proxy.aim(() => void tries++);
    const late = new Worker({
      address: `127.0.0.1:${proxy.port}`,
      name: 'late',
      definitions: [{ name: 'late' }],
      handlers: { late: add },
      logger,
    });
    const finished = late.run();
    late.setSlots(3);
    await eventually('the worker has tried', () => tries > 1);
    await expect(client.getDefinition('late')).rejects.toMatchObject({ reason: 'DEFINITION_NOT_FOUND' });
    proxy.aim(Number(new URL(`http://${replica.grpcAddress}`).port));
    expect(await client.result(await submitSoon(client, 'late'), { timeoutMs: 60_000 })).toBe(5);
    expect((await client.listWorkers()).workers.find(({ name }) => name === 'late')?.slots).toBe(3);
    await late.stop();
    await finished;
    await proxy.close();
  });

  /** Submits a job as soon as its definition is there. */
  function submitSoon(to: Client, definition: string) {
    return eventually('the definition is stored', () =>
      to.submit(definition, { a: 2, b: 3 }).catch((error: MusterError) => {
        if (error.reason !== 'DEFINITION_NOT_FOUND') throw error;
        return undefined;
      }),
    );
  }
});
