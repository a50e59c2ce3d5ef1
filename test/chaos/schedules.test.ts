/**
 * Schedules under SIGKILLs of the replicas that run them, at named points and in turns: each time of each schedule has
 * one job, or is recorded as skipped; none has two, and none is forgotten.
 */
import { CatchUpPolicy, Client, OverlapPolicy, type ScheduleRun, ScheduleRunState } from '@muster/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['schedules.after_submit_before_settle', 2],
  ['submit.after_commit_before_reply', 3],
  ['transaction.before_commit', 20],
  ['schedules.after_submit_before_settle', 5],
];
const names = ['one', 'two', 'three'];
const SECOND_US = 1_000_000;
const LONG_MS = 120_000;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  client = new Client({
    address: deployment.address,
    timeoutMs: LONG_MS,
    retry: { maxAttempts: 1_000, maxBackoffMs: 200 },
  });
  await client.applyDefinition({ name: 'tick' });
  for (const name of names)
    await client.applySchedule({
      name,
      intervals: [{ everyMs: 1_000 }],
      definition: 'tick',
      overlapPolicy: OverlapPolicy.ALLOW_ALL,
      catchUpPolicy: CatchUpPolicy.ALL,
    });
});

afterAll(async () => {
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

async function jobsOf(name: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const { jobId, labels } of client.list({ labels: { 'muster.dev/schedule': name } })) {
    const time = labels['muster.dev/schedule-time'] ?? '';
    found.set(time, [...(found.get(time) ?? []), jobId]);
  }
  return found;
}

/** µs since 1970. */
const usOf = (time: { readonly seconds: bigint; readonly nanos: number } | undefined) =>
  Number(time?.seconds ?? 0n) * SECOND_US + (time?.nanos ?? 0) / 1_000;

/** The end of the times that a run and the runs in its row represent. */
const endOf = (run: ScheduleRun | undefined) => usOf(run?.nominalTime) + (run?.timeCount ?? 0) * SECOND_US;

async function expectEachTimeOnce(name: string, pausedUs: number): Promise<number> {
  const { runs } = await client.listScheduleRuns(name, { pageSize: 1_000 });
  const jobs = await jobsOf(name);
  // The first time after its creation.
  let next = (Math.floor(usOf((await client.getSchedule(name)).createTime) / SECOND_US) + 1) * SECOND_US;
  for (const run of runs.toReversed()) {
    expect(usOf(run.nominalTime), `${name}: every second is there, once`).toBe(next);
    next += run.timeCount * SECOND_US;
    const time = new Date(usOf(run.nominalTime) / 1_000).toISOString();
    if (run.state === ScheduleRunState.STARTED) expect(jobs.get(time), `${name} at ${time}`).toEqual([run.jobId]);
    else expect([run.state, jobs.get(time)]).toEqual([ScheduleRunState.SKIPPED, undefined]);
  }
  expect(next, `${name}: every second up to the pause is there`).toBeGreaterThan(pausedUs);
  const started = runs.filter(({ state }) => state === ScheduleRunState.STARTED);
  expect(jobs.size).toBe(started.length);
  return started.length;
}

it('schedules submit one job for each time, whatever process is killed', { timeout: 600_000 }, async () => {
  for (const [i, kill] of kills.entries()) await dieInTurn(deployment, i, kill, (dead) => dead);
  const paused = new Map<string, number>();
  for (const name of names) paused.set(name, usOf((await client.pauseSchedule(name, 'to be counted')).updateTime));
  await eventually(
    'everything up to the pause is decided, and what was begun is finished',
    async () => {
      const all = await Promise.all(names.map((name) => client.listScheduleRuns(name, { pageSize: 1_000 })));
      const isDecided = all.every(({ runs: [last] }, i) => endOf(last) > (paused.get(names[i] as string) as number));
      return isDecided && all.flatMap(({ runs }) => runs).every(({ state }) => state !== ScheduleRunState.STARTING);
    },
    { timeoutMs: LONG_MS, everyMs: 200 },
  );
  for (const [name, pausedUs] of paused) expect(await expectEachTimeOnce(name, pausedUs)).toBeGreaterThan(kills.length);
});
