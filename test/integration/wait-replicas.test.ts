/**
 * Signals on two replicas: none is lost between the call that sends it and the one that begins to wait, and a wide one
 * reaches all.
 */

import { Client, JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Statement } from '../../server/store/driver/database.ts';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';
import { faultsIn } from '../support/store/faults.ts';

const RACES = 1_000;
const TOGETHER = 50;
const WIDE = 10_000;

let deployment: TwoReplicas;
let clients: Client[] = [];

beforeAll(async () => {
  deployment = await startTwoReplicas({ leaseMs: 60_000 });
  clients = deployment.replicas.map(({ grpcAddress }) => new Client({ address: grpcAddress, timeoutMs: 60_000 }));
  const signal = { name: 'go', key: 'input' };
  await clients[0]?.applyDefinition({
    name: 'waits',
    body: { case: 'wait', value: { kind: { case: 'signal', value: signal } } },
  });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await deployment?.stop();
});

async function count(text: string): Promise<number> {
  const database = openPostgres({ url: deployment.postgresUrl, poolSize: 1 });
  try {
    expect(await faultsIn(database)).toEqual({});
    const counting = {
      name: '',
      text: `SELECT count(*)::int AS rows FROM ${text}`,
      row: { rows: 'int4' },
    } satisfies Statement;
    return (await database.run(counting, []))[0]?.rows ?? 0;
  } finally {
    await database.close();
  }
}

it('1,000 signals race the jobs that begin to wait for them, and each job gets its own', async () => {
  const [here, there] = clients as [Client, Client];
  for (let at = 0; at < RACES; at += TOGETHER) {
    const keys = Array.from({ length: TOGETHER }, (_, i) => `race-${at + i}`);
    const races = keys.map(async (key, i) => {
      const [submits, sends] = i % 2 ? [here, there] : [there, here];
      const [job] = await Promise.all([
        submits.submit('waits', key),
        sends.sendSignal('go', { key, payload: { of: key } }),
      ]);
      return submits.result(job, { timeoutMs: 60_000 });
    });
    expect(await Promise.all(races)).toEqual(keys.map((of) => ({ of })));
  }
  expect(await count('signal_waits')).toBe(0);
  expect(await count('sent_signals')).toBe(0);
}, 300_000);

it('signals for one key, as many as its jobs, end each job with one signal', async () => {
  const [here, there] = clients as [Client, Client];
  const jobs = await here.submitMany(Array.from({ length: 100 }, () => ({ definition: 'waits', input: 'same' })));
  const next = async () => {
    const open = new Set(jobs.map(({ jobId }) => jobId));
    for (let sent = 0; open.size > 0; sent++) {
      await (sent % 2 ? here : there).sendSignal('go', { key: 'same', payload: sent });
      for (const jobId of open) if ((await here.get(jobId)).state === JobState.SUCCEEDED) open.delete(jobId);
    }
  };
  await next();
  expect(await count(`signal_waits WHERE key = 'same'`)).toBe(0);
}, 120_000);

it('a signal reaches 10,000 jobs, once each, while its call answers after a few pages', async () => {
  const [here, there] = clients as [Client, Client];
  const job = { definition: 'waits', input: 'wide' };
  await Promise.all(clients.map((client) => client.submitMany(Array.from({ length: WIDE / 2 }, () => job))));
  while ((await count(`signal_waits WHERE key = 'wide'`)) < WIDE);
  const startedAt = performance.now();
  const sent = await there.sendSignal('go', { key: 'wide', payload: 'all' });
  expect(sent.kept).toBe(false);
  // After one second the rounds of either replica help: they take pages between those of the call.
  if (performance.now() - startedAt < 1_000) expect(sent).toMatchObject({ deliveredCount: 5_000, delivering: true });
  else expect([sent.deliveredCount > 0, sent.deliveredCount % 1_000]).toEqual([true, 0]);
  // A signal is only for jobs that waited when it came.
  const late = await here.submit('waits', 'wide');
  while ((await count(`signal_waits WHERE key = 'wide'`)) > 1);
  while ((await count('sent_signals')) > 0);
  expect((await here.get(late)).state).toBe(JobState.WAITING);
  expect(await count(`job_outcomes o JOIN jobs j USING (job_id) WHERE j.input = '"wide"' AND o.state = 9`)).toBe(WIDE);
}, 180_000);
