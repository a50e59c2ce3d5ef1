/** Two replicas on one PostgreSQL and one NATS: there is no leader, and each acts on changes made at the other. */
import { create } from '@bufbuild/protobuf';
import { Client, Code, IdempotencyConflictPolicy, isTerminal, JobState, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RetryPolicySchema } from '../../sdk/typescript/src/gen/muster/v1/retry_policy_pb.ts';
import { eventually } from '../support/base/eventually.ts';
import type { TestReplica } from '../support/base/replica.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';

let deployment: TwoReplicas;
let replicas: readonly TestReplica[];

beforeAll(async () => {
  deployment = await startTwoReplicas({ beatMs: 500, leaseMs: 4_000 }, 'empty');
  replicas = deployment.replicas;
});

afterAll(async () => {
  await deployment?.stop();
});

function clientOf(replica: number): Client {
  return new Client({ address: replicas[replica]?.grpcAddress ?? '' });
}

/** Starts a worker with its session at one replica. Returns the function that ends it. */
async function startWorker(
  replica: number,
  name: string,
  handlers: ConstructorParameters<typeof Worker>[0]['handlers'],
) {
  let ready = () => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const worker = new Worker({
    address: replicas[replica]?.grpcAddress ?? '',
    name,
    handlers,
    logger: { log: () => {} },
    onEvent: (event) => event === 'ready' && ready(),
  });
  const running = worker.run();
  await isReady;
  return async () => {
    await worker.stop();
    await running;
  };
}

describe('two replicas', () => {
  it('refuse jobs of a definition that was archived at the other, within a second', async () => {
    const [here, there] = [clientOf(0), clientOf(1)];
    try {
      await here.applyDefinition({ name: 'shelved' });
      await there.submit('shelved');
      await here.archiveDefinition('shelved');
      const archived = performance.now();
      await expect(here.submit('shelved')).rejects.toMatchObject({ reason: 'DEFINITION_ARCHIVED' });
      await eventually('the other replica refuses them', () =>
        there.submit('shelved').then(
          () => false,
          (error) => error.reason === 'DEFINITION_ARCHIVED',
        ),
      );
      expect(performance.now() - archived).toBeLessThan(2_000);
    } finally {
      here.close();
      there.close();
    }
  });

  it('run jobs that were submitted at the other, and notify a caller there at once', async () => {
    const [here, there] = [clientOf(0), clientOf(1)];
    const stop = await startWorker(1, 'far', { far: (_ctx, input) => ({ got: input }) });
    try {
      await here.applyDefinition({ name: 'far' });
      for (let i = 0; i < 20; i++) {
        const job = await here.submit('far', { i });
        expect(await there.result(job)).toEqual({ got: { i } });
        expect(await here.result(job)).toEqual({ got: { i } });
      }
    } finally {
      await stop();
      here.close();
      there.close();
    }
  });

  it('share the jobs among workers of both, none twice', async () => {
    const [here, there] = [clientOf(0), clientOf(1)];
    const ran = new Map<string, string[]>();
    const record = (where: string) => (ctx: { jobId: string }) => {
      ran.set(ctx.jobId, [...(ran.get(ctx.jobId) ?? []), where]);
      return null;
    };
    const stops = [
      await startWorker(0, 'one', { share: record('one') }),
      await startWorker(1, 'two', { share: record('two') }),
    ];
    try {
      await here.applyDefinition({ name: 'share' });
      const jobs = await here.submitMany(Array.from({ length: 2_000 }, (_, n) => ({ definition: 'share', input: n })));
      for (const job of jobs) expect((await there.wait(job)).state).toBe(JobState.SUCCEEDED);
      expect([...ran.values()].every((places) => places.length === 1)).toBe(true);
      expect(new Set([...ran.values()].flat())).toEqual(new Set(['one', 'two']));
    } finally {
      for (const stop of stops) await stop();
      here.close();
      there.close();
    }
  });

  it('cancel jobs that run at the other, within a moment', async () => {
    const [here, there] = [clientOf(0), clientOf(1)];
    let entered = () => {};
    const isRunning = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const stop = await startWorker(1, 'slow', {
      slow: (ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
          entered();
        }),
    });
    try {
      await here.applyDefinition({ name: 'slow' });
      const job = await here.submit('slow');
      await isRunning;
      await here.cancel(job, 'no longer needed');
      const ended = await there.wait(job);
      expect(ended.state).toBe(JobState.CANCELLED);
      expect(ended.outcome.case === 'failure' && ended.outcome.value.message).toBe('no longer needed');
    } finally {
      await stop();
      here.close();
      there.close();
    }
  });

  it('replace the job of one key for callers of both: one job is left open, and every other one was cancelled', async () => {
    const clients = [clientOf(0), clientOf(1)];
    const policy = { idempotencyKey: 'one-report', idempotencyConflictPolicy: IdempotencyConflictPolicy.REPLACE };
    try {
      await clientOf(0).applyDefinition({ name: 'report' });
      const calls = Array.from({ length: 30 }, (_, i) => (clients[i % 2] as Client).submit('report', { i }, policy));
      const settled = await Promise.allSettled(calls);
      const jobs = settled.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []));
      for (const call of settled)
        if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: Code.ABORTED, reason: 'CONFLICT' });
      expect(jobs.length).toBeGreaterThan(1);
      expect(new Set(jobs.map((job) => job.jobId)).size).toBe(jobs.length);
      const states = await Promise.all(jobs.map(async (job) => (await (clients[0] as Client).get(job)).state));
      expect(states.filter((state) => state !== JobState.CANCELLED)).toEqual([JobState.READY]);
      const { jobId } = await clientOf(1).submit('report', { last: true }, policy);
      const open = jobs[states.indexOf(JobState.READY)];
      expect(await (clients[0] as Client).get(open?.jobId ?? '')).toMatchObject({
        state: JobState.CANCELLED,
        stateReason: `replaced by job ${jobId}`,
      });
    } finally {
      for (const client of clients) client.close();
    }
  });

  it('keep a session alive whichever of them gets its calls, and both list it', async () => {
    const [here, there] = [clientOf(0), clientOf(1)];
    const stop = await startWorker(0, 'listed', { listed: () => null });
    try {
      for (const client of [here, there]) {
        const workers = await eventually('the worker is listed', async () => {
          const { workers } = await client.listWorkers();
          return workers.filter((worker) => worker.name === 'listed').length === 1 && workers;
        });
        expect(workers.find((worker) => worker.name === 'listed')?.deaf).toBe(false);
      }
    } finally {
      await stop();
      here.close();
      there.close();
    }
  });

  it('retry a failed job with its policy, and end it with the last failure', async () => {
    const client = clientOf(0);
    let tries = 0;
    const stop = await startWorker(1, 'failing', {
      failing: () => {
        tries++;
        throw new TypeError('not today');
      },
    });
    try {
      await client.applyDefinition({
        name: 'failing',
        retryPolicy: create(RetryPolicySchema, { maxAttempts: 3, minBackoff: { nanos: 1_000_000 }, multiplier: 1 }),
      });
      const job = await client.wait(await client.submit('failing'));
      expect(isTerminal(job.state) && job.state).toBe(JobState.FAILED);
      expect(tries).toBe(3);
      expect(job.attemptCount).toBe(3);
      expect(job.outcome.case === 'failure' && job.outcome.value.type).toBe('TypeError');
      expect(job.attempts.map((attempt) => attempt.counted)).toEqual([true, true, true]);
    } finally {
      await stop();
      client.close();
    }
  });
});
