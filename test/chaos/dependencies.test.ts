/**
 * Dependencies and children under SIGKILLs of the replicas, at named points and in turns: each waiting job is released
 * once, each parent continues once with its children, jobs whose condition can not be met are skipped, and no row is
 * left behind.
 */
import { Client, stateName, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill, loadUntil } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['change.after_commit_before_reply', 1],
  ['complete.after_commit_before_reply', 4],
  ['transaction.before_commit', 15],
  ['change.after_commit_before_reply', 5],
  ['transaction.before_commit', 40],
];
const FAMILIES = 10;
const CHILDREN = 3;
const LONG_MS = 180_000;

let deployment: Deployment;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const { address } = deployment;
  client = new Client({ address, timeoutMs: LONG_MS, retry: { maxAttempts: 1_000, maxBackoffMs: 200 } });
  for (const name of ['leaf', 'family', 'broken', 'behind'])
    await client.applyDefinition({ name, retryPolicy: { maxAttempts: 1 } });
  worker = new Worker({
    address,
    name: 'families',
    slots: 20,
    logger: { log: () => {} },
    handlers: {
      leaf: async (_ctx, { n }) => n,
      broken: async () => {
        throw new Error('as it should');
      },
      behind: async () => 'behind',
      family: async (ctx, { n }) => {
        const children = [];
        for (let i = 0; i < CHILDREN; i++) children.push(await ctx.submit('leaf', { n: n + i }));
        return (await ctx.wait<number>(children)).reduce((sum, one) => sum + one, 0);
      },
    },
  });
  running = worker.run();
});

afterAll(async () => {
  await worker?.stop();
  await running;
  client?.[Symbol.dispose]();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

interface Load {
  readonly families: readonly string[];
  readonly behind: readonly string[];
  readonly skipped: readonly string[];
}

const ids = (jobs: readonly { readonly jobId: string }[]) => jobs.map(({ jobId }) => jobId);

async function load(): Promise<Load> {
  const numbers = Array.from({ length: FAMILIES }, (_, n) => n);
  const families = ids(await client.submitMany(numbers.map((n) => ({ definition: 'family', input: { n } }))));
  const broken = await client.submit('broken');
  const behind = families.map((job) => ({
    definition: 'behind',
    dependsOn: [job, { job: broken, condition: 'FAILED' as const }],
  }));
  const skipped = families.map((job) => ({ definition: 'behind', dependsOn: [job, broken] }));
  return { families, behind: ids(await client.submitMany(behind)), skipped: ids(await client.submitMany(skipped)) };
}

const count = async (query: string) => (await deployment.database.query(query)).rows[0]?.n;

it('dependencies release each job once, whatever process is killed', { timeout: 900_000 }, async () => {
  const rounds: Promise<Load>[] = [];
  for (const [i, kill] of kills.entries())
    rounds.push(...(await dieInTurn(deployment, i, kill, (dead) => loadUntil(deployment, dead, load))));
  for (const { families, behind, skipped } of await Promise.all(rounds)) {
    for (const [n, jobId] of families.entries()) {
      const wanted = Array.from({ length: CHILDREN }, (_, i) => n + i).reduce((sum, one) => sum + one, 0);
      expect(await client.result(jobId, { timeoutMs: LONG_MS }), `family ${jobId}`).toBe(wanted);
      expect(await count(`SELECT count(*)::int AS n FROM jobs WHERE parent_job_id = '${jobId}'`)).toBe(CHILDREN);
    }
    for (const jobId of behind) {
      const job = await client.wait(jobId, { timeoutMs: LONG_MS });
      expect([stateName(job.state), job.attemptCount]).toEqual(['SUCCEEDED', 1]);
    }
    for (const jobId of skipped) {
      const job = await client.wait(jobId, { timeoutMs: LONG_MS });
      expect([stateName(job.state), job.attempt]).toEqual(['SKIPPED', 0]);
    }
  }
  for (const table of ['job_runs', 'job_dependencies'])
    expect(await count(`SELECT count(*)::int AS n FROM ${table}`), table).toBe(0);
  expect(deployment.replicas.flatMap(({ faults }) => faults)).toEqual([]);
});
