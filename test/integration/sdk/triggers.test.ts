/** Calls of the client about triggers, on a real control plane. */
import {
  allOf,
  anyOf,
  Code,
  decodePayload,
  JobState,
  OverlapPolicy,
  ScheduleRunState,
  whenAsset,
  whenJobEnds,
  whenScheduleRuns,
  whenSignal,
} from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
  await deployment.client.applyDefinition({ name: 'pack' });
});

afterAll(() => deployment?.stop());

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });
const key = 'cause.payload.order';
const paid = whenSignal('order-paid', { key });
const picked = whenSignal('order-picked', { key, filter: 'cause.payload.complete' });
const packs = { name: 'packs', definition: 'pack', condition: allOf([paid, picked]) } as const;

it('a trigger is validated, created, read, changed, listed and deleted', async () => {
  const { client } = deployment;
  expect((await client.checkTrigger(packs)).trigger).toMatchObject({ name: 'packs' });
  await expect(client.getTrigger('packs')).rejects.toEqual(refused(Code.NOT_FOUND, 'TRIGGER_NOT_FOUND'));
  const others = anyOf([
    whenAsset('orders', { key: 'cause.name' }),
    whenJobEnds('pack', { key: 'cause.labels.order', states: [JobState.FAILED] }),
    whenScheduleRuns('nightly', { key: 'cause.name' }),
  ]);
  const made = await client.applyTrigger({
    ...packs,
    condition: allOf([paid, others], { withinMs: 60_000 }),
    job: { priority: 3, labels: { team: 'a' }, runTimeoutMs: 60_000 },
    overlapPolicy: OverlapPolicy.BUFFER_ALL,
    pauseOnFailure: true,
    expireAfterMs: 3_600_000,
    description: 'each order',
  });
  expect(made).toMatchObject({
    condition: allOf([paid, others], { withinMs: 60_000 }),
    job: { definition: 'pack', priority: 3, labels: { team: 'a' }, runTimeout: { seconds: 60n } },
    overlapPolicy: OverlapPolicy.BUFFER_ALL,
    pauseOnFailure: true,
    expireAfter: { seconds: 3_600n },
    description: 'each order',
  });
  const changed = await client.applyTrigger({ ...packs, etag: made.etag });
  expect(changed.pauseOnFailure).toBe(false);
  const stale = client.applyTrigger({ ...packs, description: 'x', etag: made.etag });
  await expect(stale).rejects.toEqual(refused(Code.ABORTED, 'ETAG_STALE'));
  expect((await client.getTrigger('packs')).etag).toBe(changed.etag);
  expect((await client.listTriggers()).triggers.map(({ name }) => name)).toEqual(['packs']);
  await client.deleteTrigger('packs');
  await expect(client.deleteTrigger('packs')).rejects.toEqual(refused(Code.NOT_FOUND, 'TRIGGER_NOT_FOUND'));
});

it('a trigger is explained, fired, paused and resumed', async () => {
  const { client } = deployment;
  const pick = (order: string) => client.sendSignal('order-picked', { payload: { order, complete: true } });
  await client.applyTrigger(packs);
  expect(await client.sendSignal('order-paid', { payload: { order: 'o-7' } })).toMatchObject({
    triggerCount: 1,
    kept: false,
  });
  const waiting = await eventually('the cause is held', async () => {
    const explained = await client.explainTrigger('packs');
    return explained.progress.length > 0 && explained;
  });
  expect(waiting.progress).toMatchObject([{ key: 'o-7', held: [{ condition: 0, count: 1n }] }]);
  expect(waiting.progress[0]?.missing).toHaveLength(1);
  expect(waiting.missing).toHaveLength(2);

  await pick('o-7');
  const [run] = await eventually('the trigger submits its job', async () => {
    const { runs } = await client.listTriggerRuns('packs');
    return runs[0]?.state === ScheduleRunState.STARTED && runs;
  });
  expect(run).toMatchObject({ key: 'o-7' });
  const job = await client.get(run?.jobId ?? '');
  expect(job.labels).toMatchObject({ 'muster/trigger': 'packs' });
  expect(decodePayload(job.input)).toMatchObject({
    trigger: 'packs',
    key: 'o-7',
    causes: [
      { kind: 'signal', name: 'order-paid', condition: 0, count: 1 },
      { kind: 'signal', name: 'order-picked', condition: 1, count: 1 },
    ],
  });
  expect((await client.explainTrigger('packs')).progress).toEqual([]);

  expect(await client.pauseTrigger('packs', 'moving')).toMatchObject({ paused: true, pauseReason: 'moving' });
  expect(await pick('o-8')).toMatchObject({ triggerCount: 0 });
  expect(await client.resumeTrigger('packs')).toMatchObject({ paused: false });
  expect((await client.explainTrigger('packs')).progress).toEqual([]);
  await client.deleteTrigger('packs');
});
