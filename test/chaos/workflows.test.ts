/**
 * Workflows under SIGKILLs of the replicas that run them, at named points and in turns: each ends with the right
 * result, and each of its steps, items and iterations had one job.
 */
import { stateName } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Flows, plays, resultOf, type Step, StepRole, TriggerRule } from '../integration/api/workflows/flows.ts';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill, loadUntil } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['workflows.after_commit_before_publish', 1],
  ['complete.after_commit_before_reply', 5],
  ['transaction.before_commit', 20],
  ['change.after_commit_before_reply', 1],
  ['workflows.after_commit_before_publish', 7],
  ['transaction.before_commit', 61],
  ['complete.after_commit_before_reply', 12],
  ['change.after_commit_before_reply', 2],
];
const A_ROUND = 25;
const LONG_MS = 180_000;
/** Jobs of a succeeded workflow: two of the chain, five items, three iterations, the join and the final step. */
const JOBS = 2 + 5 + 3 + 1 + 1;

const good: readonly Step[] = [
  { name: 'one', input: '{"give": workflow.input.n + 1}' },
  { name: 'two', needs: ['one'], input: '{"give": steps.one.output * 2}' },
  { name: 'each', needs: ['one'], fanOut: { items: '[1, 2, 3, 4, 5]', maxParallel: 2 }, input: '{"give": item}' },
  {
    name: 'again',
    needs: ['one'],
    loop: { repeatCondition: 'output < 2', maxIterations: 5 },
    input: '{"give": iteration}',
  },
  { name: 'never', needs: ['one'], condition: 'false' },
  {
    name: 'join',
    needs: ['two', 'each', 'again', 'never'],
    triggerRule: TriggerRule.NONE_FAILED,
    input: '{"give": {"n": steps.two.output, "all": steps.each.output, "passes": steps.again.output}}',
  },
  { name: 'tidy', role: StepRole.FINALLY, input: plays('tidy', {}) },
];
const bad: readonly Step[] = [
  { name: 'fails', input: plays('fails', { fail: 'broken' }) },
  { name: 'behind', needs: ['fails'] },
  { name: 'sorry', role: StepRole.ON_FAILURE, input: plays('sorry', {}) },
  { name: 'tidy', role: StepRole.FINALLY, input: plays('tidy', {}) },
];
const undone: readonly Step[] = [
  { name: 'one', input: '{"give": 1}', compensation: { definition: 'play', input: '{"as": "undo", "give": output}' } },
  {
    name: 'two',
    needs: ['one'],
    input: '{"give": 2}',
    compensation: { definition: 'play', input: '{"give": output}' },
  },
  { name: 'fails', needs: ['two'], input: plays('fails', { fail: 'broken' }) },
  { name: 'tidy', role: StepRole.FINALLY, input: plays('tidy', {}) },
];
const endless: readonly Step[] = [
  { name: 'each', fanOut: { items: '[1, 2, 3, 4, 5, 6, 7, 8]' }, input: plays('endless', { hold: 'for ever' }) },
  { name: 'tidy', role: StepRole.FINALLY, input: plays('tidy', {}) },
];

let deployment: Deployment;
let flows: Flows;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  flows = await Flows.start(deployment.address, {
    timeoutMs: LONG_MS,
    retry: { maxAttempts: 1_000, maxBackoffMs: 200 },
  });
  await flows.apply('good', good, { output: 'steps.join.output' });
  await flows.apply('bad', bad);
  await flows.apply('undone', undone);
  await flows.apply('endless', endless);
});

afterAll(async () => {
  await flows?.stop();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

async function submit(definition: string, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, n) => ({ definition, input: { n } }));
  return (await flows.client.submitMany(jobs)).map(({ jobId }) => jobId);
}

/** Jobs by workflow, and all duplicates. */
async function jobsMade(): Promise<{ readonly perWorkflow: ReadonlyMap<string, number>; readonly doubles: unknown[] }> {
  const { rows } = await deployment.database.query(
    `SELECT parent_job_id, count(*)::int AS jobs, count(DISTINCT (step, item))::int AS places
     FROM jobs WHERE parent_job_id IS NOT NULL GROUP BY parent_job_id`,
  );
  return {
    perWorkflow: new Map(rows.map((row) => [row.parent_job_id, row.jobs])),
    doubles: rows.filter((row) => row.jobs !== row.places),
  };
}

/** Work of every kind, some of which is cancelled while replicas die. */
async function load(): Promise<Record<'good' | 'bad' | 'undone' | 'endless', string[]>> {
  const [fine, failing, taken, held] = await Promise.all([
    submit('good', A_ROUND),
    submit('bad', 5),
    submit('undone', 5),
    submit('endless', 5),
  ]);
  await Promise.all(held.map((jobId) => flows.client.cancel(jobId, 'enough')));
  return { good: fine, bad: failing, undone: taken, endless: held };
}

it('workflows end correctly, with one job for each step, whatever process is killed', {
  timeout: 900_000,
}, async () => {
  const rounds: ReturnType<typeof load>[] = [];
  for (const [i, kill] of kills.entries())
    rounds.push(...(await dieInTurn(deployment, i, kill, (dead) => loadUntil(deployment, dead, load))));
  const all = await Promise.all(rounds);
  for (const { good, bad, undone, endless } of all) {
    for (const [n, jobId] of good.entries()) {
      const wanted = { n: (n + 1) * 2, all: [1, 2, 3, 4, 5], passes: 2 };
      expect(resultOf(await flows.ended(jobId, LONG_MS)), `good ${jobId}`).toEqual(wanted);
    }
    for (const jobId of [...bad, ...undone])
      expect(stateName((await flows.ended(jobId, LONG_MS)).state)).toBe('FAILED');
    for (const jobId of endless) expect(stateName((await flows.ended(jobId, LONG_MS)).state)).toBe('CANCELLED');
  }
  const { perWorkflow, doubles } = await jobsMade();
  expect(doubles).toEqual([]);
  for (const { good, bad, undone, endless } of all) {
    for (const jobId of good) expect(perWorkflow.get(jobId), `good ${jobId}`).toBe(JOBS);
    for (const jobId of bad) expect(perWorkflow.get(jobId), `bad ${jobId}`).toBe(3);
    // Each of the two succeeded steps is compensated once.
    for (const jobId of undone) expect(perWorkflow.get(jobId), `undone ${jobId}`).toBe(3 + 2 + 1);
    // A workflow that was cancelled before its start has no steps; each other one has cleaned up once.
    for (const jobId of endless) expect([0, 1, 9]).toContain(perWorkflow.get(jobId) ?? 0);
  }
  const { rows } = await deployment.database.query('SELECT count(*)::int AS open FROM job_runs');
  expect(rows[0]?.open).toBe(0);
  expect(deployment.replicas.flatMap(({ faults }) => faults)).toEqual([]);
});
