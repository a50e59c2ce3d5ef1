/**
 * Schedules under SIGKILLs of the replicas that run them, at named points and in turns: each time of each schedule has
 * one job, or is recorded as skipped; none has two, and none is forgotten.
 */
import { CatchUpPolicy, Client, OverlapPolicy } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';
import { missedTimes } from './load/schedule-times.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['schedules.after_submit_before_settle', 2],
  ['submit.after_commit_before_reply', 3],
  ['transaction.before_commit', 20],
  ['schedules.after_submit_before_settle', 5],
];
const names = ['one', 'two', 'three'];
const EVERY_MS = 1_000;
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
      intervals: [{ everyMs: EVERY_MS }],
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

it('schedules submit one job for each time, whatever process is killed', { timeout: 600_000 }, async () => {
  for (const [i, kill] of kills.entries()) await dieInTurn(deployment, i, kill, (dead) => dead);
  for (const name of names) {
    const { started, missed } = await missedTimes(client, name, EVERY_MS, LONG_MS);
    expect(missed).toEqual([]);
    expect(started).toBeGreaterThan(kills.length);
  }
});
