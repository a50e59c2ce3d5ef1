/**
 * Signals under SIGKILLs of the replica that has received them, at named points: each accepted signal ends all jobs that
 * wait for it, or is taken by a later one; none is lost and none is taken twice.
 */
import { Client, JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';

/** Each with the passing at which the replica dies, after the jobs have begun to wait. */
const kills: readonly Kill[] = [
  ['signals.after_send_before_delivery', 1],
  ['signals.after_page_before_next', 1],
  ['signals.after_page_before_next', 2],
  // At most 100 jobs begin to wait at a time, so that this is one of those changes, or a page.
  ['change.after_commit_before_reply', 26],
];
const LONG_MS = 120_000;
const JOBS = 2_500;
const WAITS_AT_ONCE = 100;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  client = new Client({ address: deployment.address, timeoutMs: LONG_MS, retry });
  const value = { kind: { case: 'signal', value: { name: 'go', key: 'input' } } } as const;
  await client.applyDefinition({ name: 'waits', body: { case: 'wait', value } });
});

afterAll(async () => {
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

it('signals reach all waiting jobs, whatever process is killed', { timeout: 600_000 }, async () => {
  for (const [i, kill] of kills.entries()) {
    const ended = await dieInTurn(deployment, i, kill, () => reachAll(`kill-${i}`));
    expect(ended, kill.join(':')).toEqual({ states: [JobState.SUCCEEDED], next: 'second' });
  }
});

/** Sends a signal to many waiting jobs, and one to a later job. */
async function reachAll(key: string): Promise<{ readonly states: JobState[]; readonly next: unknown }> {
  const requestId = crypto.randomUUID();
  const jobs = await client.submitMany(
    Array.from({ length: JOBS }, () => ({ definition: 'waits', input: key })),
    { requestId },
  );
  while (await anyReady());
  await client.sendSignal('go', { key, payload: 'first' });
  const states = new Set<JobState>();
  for (let from = 0; from < JOBS; from += WAITS_AT_ONCE) {
    const page = jobs.slice(from, from + WAITS_AT_ONCE);
    const ended = await Promise.all(page.map(({ jobId }) => client.wait(jobId, { timeoutMs: LONG_MS })));
    for (const { state } of ended) states.add(state);
  }
  expect(await client.result(jobs[0] ?? '')).toBe('first');
  await client.sendSignal('go', { key, payload: 'second' });
  const later = await client.submit('waits', key);
  return { states: [...states], next: await client.result(later, { timeoutMs: LONG_MS }) };
}

async function anyReady(): Promise<boolean> {
  for await (const _ of client.list({ definition: 'waits', states: [JobState.READY] })) return true;
  return false;
}
