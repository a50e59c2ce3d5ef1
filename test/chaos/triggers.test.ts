/**
 * Triggers under SIGKILLs of the replicas that advance them, at named points and in turns: each order that is paid and
 * whose goods are picked is shipped once, and each ping has one job; none has two, and none is forgotten.
 */
import { allOf, Client, decodePayload, JobState, ScheduleRunState, whenJobEnds, whenSignal } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/base/eventually.ts';
import { survivors } from './harness/child.ts';
import { type Deployment, deploy } from './harness/deployment.ts';
import { dieInTurn, type Kill } from './harness/turns.ts';

/** Each with the passing at which the replica dies. */
const kills: readonly Kill[] = [
  ['triggers.after_advance_before_start', 3],
  ['schedules.after_submit_before_settle', 4],
  ['transaction.before_commit', 40],
  ['change.after_commit_before_reply', 5],
  ['triggers.after_advance_before_start', 6],
];
const LONG_MS = 120_000;
/** The goods are picked by a person, so to speak: the job ends by a cancel. */
const picked = whenJobEnds('pick', { states: [JobState.CANCELLED], key: 'cause.labels.order' });

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await deploy({ replicas: 2, beatMs: 1_000, leaseMs: 60_000 }, 0);
  const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
  client = new Client({ address: deployment.address, timeoutMs: LONG_MS, retry });
  for (const name of ['pick', 'ship', 'pong']) await client.applyDefinition({ name });
  const condition = allOf([whenSignal('paid', { key: 'cause.payload.order' }), picked]);
  await client.applyTrigger({ name: 'ship', definition: 'ship', condition });
  await client.applyTrigger({ name: 'pong', definition: 'pong', condition: whenSignal('ping') });
});

afterAll(async () => {
  client?.close();
  await deployment?.stop();
  expect(survivors()).toEqual([]);
});

it('a trigger submits one job each time its condition is met, whatever process is killed', {
  timeout: 600_000,
}, async () => {
  const orders: string[] = [];
  for (const [i, kill] of kills.entries())
    orders.push(...(await dieInTurn(deployment, i, kill, (dead) => orderUntil(dead, `o${i}`))));
  expect(orders.length).toBeGreaterThan(kills.length);
  for (const [trigger, key] of [
    ['ship', (input: Input) => input.key],
    ['pong', (input: Input) => input.causes[0]?.key],
  ] as const) {
    const found = await eventually(
      `${trigger} has a job for each of ${orders.length} orders`,
      async () => {
        const keys = await keysOf(trigger, key);
        return keys.length >= orders.length && keys;
      },
      { timeoutMs: LONG_MS },
    );
    expect(found.toSorted()).toEqual(orders.toSorted());
    const { runs } = await client.listTriggerRuns(trigger);
    expect(runs.filter(({ state }) => state !== ScheduleRunState.STARTED)).toEqual([]);
    expect((await client.explainTrigger(trigger)).progress).toEqual([]);
  }
});

/** Pays orders, picks their goods and sends pings until a replica is dead. Resolves with the orders. */
async function orderUntil(dead: Promise<void>, prefix: string): Promise<string[]> {
  let isDead = false;
  const dying = dead.finally(() => {
    isDead = true;
  });
  const orders: string[] = [];
  while (!isDead) {
    const some = Array.from({ length: 5 }, (_, i) => `${prefix}-${orders.length + i}`);
    await Promise.all(some.map(orderOne));
    orders.push(...some);
  }
  await dying;
  return orders;
}

async function orderOne(order: string): Promise<void> {
  const job = await client.submit('pick', undefined, { labels: { order } });
  await Promise.all([
    client.sendSignal('paid', { payload: { order } }),
    client.sendSignal('ping', { key: order }),
    client.cancel(job),
  ]);
}

interface Input {
  readonly key: string;
  readonly causes: readonly { readonly key?: string }[];
}

async function keysOf(trigger: string, keyOf: (input: Input) => string | undefined): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  for await (const { jobId } of client.list({ labels: { 'muster/trigger': trigger } }))
    keys.push(keyOf(decodePayload((await client.get(jobId)).input) as Input));
  return keys;
}
