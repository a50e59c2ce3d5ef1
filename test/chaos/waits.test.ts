/**
 * Events over SIGKILLs of the replica that has taken them, at named points: each event that was accepted ends all the jobs that
 * waited for it, or is taken by one that comes later; none is lost and none is taken twice.
 */
import { Client, JobState } from '@muster/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KillPoint } from '../../server/engine/kill-points.ts';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';

/** Each with the passing at which the replica dies, after it has let the jobs begin to wait. */
const kills: readonly (readonly [KillPoint, number])[] = [
  ['events.after_send_before_delivery', 1],
  ['events.after_page_before_next', 1],
  ['events.after_page_before_next', 2],
  // Jobs begin to wait a hundred at a time at the most, so that this is one of those, or a page.
  ['change.after_commit_before_reply', 26],
];
const LONG_MS = 120_000;
const JOBS = 2_500;

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  client = new Client({ address: deployment.address, timeoutMs: LONG_MS, retry });
  const value = { kind: { case: 'event', value: { name: 'go', key: 'input' } } } as const;
  await client.applyDefinition({ name: 'waits', body: { case: 'wait', value } });
});

afterAll(async () => {
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

it('reach all that wait, whoever is killed', { timeout: 600_000 }, async () => {
  for (const [i, [point, passing]] of kills.entries()) {
    const victim = deployment.replicas[i % 2];
    const other = deployment.replicas[(i + 1) % 2];
    await victim?.kill();
    await victim?.start(`${point}:${passing}`);
    // It has the event to itself until it dies.
    await other?.kill();
    const key = `kill-${i}`;
    const ended = reachAll(key);
    await victim?.killedItself(point);
    await other?.start();
    await victim?.start();
    expect(await ended, `${point}:${passing}`).toEqual({ states: [JobState.SUCCEEDED], next: 'second' });
  }
});

/** An event for many jobs that wait, and one for a job that comes later. */
async function reachAll(key: string): Promise<{ readonly states: JobState[]; readonly next: unknown }> {
  const requestId = crypto.randomUUID();
  const jobs = await client.submitMany(
    Array.from({ length: JOBS }, () => ({ definition: 'waits', input: key })),
    { requestId },
  );
  while (await anyReady());
  await client.sendEvent('go', { key, payload: 'first' });
  const states = new Set<JobState>();
  for (const { jobId } of jobs) states.add((await client.wait(jobId, { timeoutMs: LONG_MS })).state);
  expect(await client.result(jobs[0] ?? '')).toBe('first');
  await client.sendEvent('go', { key, payload: 'second' });
  const later = await client.submit('waits', key);
  return { states: [...states], next: await client.result(later, { timeoutMs: LONG_MS }) };
}

async function anyReady(): Promise<boolean> {
  for await (const _ of client.list({ definition: 'waits', states: [JobState.READY] })) return true;
  return false;
}
