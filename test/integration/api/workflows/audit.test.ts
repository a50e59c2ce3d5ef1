/**
 * Manual changes of workflows and batches have one audit record; effects of rules and changes of single jobs have none.
 */

import { randomUUID } from 'node:crypto';
import { AuditActionSchema } from '@muster-jobs/sdk/gen/muster/v1/audit_record_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, type Place, plays, startOn, stateName } from './flows.ts';

describe.each(databaseKinds)('audit records on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** Newest first, as `ACTION subject: reason`. */
  const records = async (jobId: string): Promise<string[]> => {
    const page = await flows.client.listAuditRecords({ jobId });
    expect(page.records.every((record) => record.jobId === jobId)).toBe(true);
    return page.records.map(
      ({ action, subject, reason }) => `${AuditActionSchema.value[action]?.localName} ${subject}: ${reason}`,
    );
  };
  const cancelAll = (filter: object) =>
    place.world.rpc.call(JobService.method.cancelJobs, { filter, reason: 'all of them' });
  const failing = [{ name: 'bad', input: plays('bad', { fail: 'broken' }) }];

  it('exist for cancelled workflows, started or not', async () => {
    const tag = flows.name('held');
    const definition = await flows.define([{ name: 'a', input: plays(tag, { hold: tag }) }]);
    const [running, waiting] = [
      await flows.submit(definition),
      await flows.submit(definition, {}, { delayMs: 3_600_000 }),
    ];
    await flows.hasStarted(tag);
    for (const jobId of [running, waiting, running]) await flows.client.cancel(jobId, `stop ${jobId}`);
    for (const jobId of [running, waiting]) {
      expect(stateName((await flows.ended(jobId)).state)).toBe('CANCELLED');
      expect(await records(jobId)).toEqual([`CANCEL_JOB : stop ${jobId}`]);
    }
    const [child] = await flows.children(running);
    expect(await records(child?.jobId ?? '')).toEqual([]);
  });

  it('exist for workflows that are cancelled by a filter, and not for the tasks among them', async () => {
    const labels = { all: flows.name() };
    const later = { labels, delayMs: 3_600_000 };
    const [workflow, task] = [
      await flows.submit(await flows.define([{ name: 'a' }]), {}, later),
      await flows.submit('play', {}, later),
    ];
    const { batch } = await place.world.rpc.call(BatchService.method.createBatch, { batch: { labels } });
    const batchId = batch?.job?.jobId ?? '';
    expect((await cancelAll({ labels })).cancelledCount).toBe(3);
    expect((await cancelAll({ labels })).cancelledCount).toBe(0);
    for (const jobId of [workflow, batchId]) expect(await records(jobId)).toEqual(['CANCEL_JOB : all of them']);
    expect(await records(task)).toEqual([]);
  });

  it('do not exist for cancels by the control plane itself', async () => {
    const tag = flows.name('inner');
    const inner = await flows.define([{ name: 'a', input: plays(tag, { hold: tag }) }]);
    const jobId = await flows.submit(await flows.define([{ name: 'nested', definition: inner }]));
    await flows.hasStarted(tag);
    await flows.client.cancel(jobId, 'enough');
    await flows.ended(jobId);
    const [child] = await flows.children(jobId);
    expect(stateName((await flows.client.get(child?.jobId ?? '')).state)).toBe('CANCELLED');
    expect(await records(child?.jobId ?? '')).toEqual([]);
    expect(await records(jobId)).toEqual(['CANCEL_JOB : enough']);
  });

  it('exist for retried workflows, by name and by a filter, once for each new one', async () => {
    const definition = await flows.define(failing);
    const { jobId } = await flows.ended(await flows.submit(definition));
    const requestId = randomUUID();
    const first = await flows.client.retry(jobId, { reason: 'it is mended', requestId });
    expect((await flows.client.retry(jobId, { reason: 'it is mended', requestId })).jobId).toBe(first.jobId);
    expect(await records(jobId)).toEqual([`RETRY_JOB ${first.jobId}: it is mended`]);
    await flows.ended(first.jobId);
    const redrive = () => place.world.rpc.call(JobService.method.retryJobs, { filter: { definition } });
    const { jobIds, retriedJobIds } = await redrive();
    expect(retriedJobIds).toEqual([first.jobId]);
    await flows.ended(jobIds[0] ?? '');
    expect(await records(first.jobId)).toEqual([`RETRY_JOB ${jobIds[0]}: `]);
    const skipping = await flows.client.retry(jobId, { skipSteps: ['bad'], reason: 'no use' });
    expect(await records(skipping.jobId)).toEqual(['SKIP_STEP bad: no use']);
    expect((await records(jobId))[0]).toBe(`RETRY_JOB ${skipping.jobId}: no use`);
  });

  it('do not exist for tasks that are retried or cancelled', async () => {
    const { jobId } = await flows.ended(await flows.submit('play', { fail: 'broken' }));
    const again = await flows.client.retry(jobId, { reason: 'once more' });
    await flows.ended(again.jobId);
    const waiting = await flows.submit('play', {}, { delayMs: 3_600_000 });
    await flows.client.cancel(waiting, 'enough');
    for (const id of [jobId, again.jobId, waiting]) expect(await records(id)).toEqual([]);
  });

  it('exist for batches that are sealed, the first time, and not for ended ones', async () => {
    const { createBatch, sealBatch } = BatchService.method;
    const create = async () => (await place.world.rpc.call(createBatch, { batch: {} })).batch?.job?.jobId ?? '';
    const [jobId, cancelled] = [await create(), await create()];
    for (const _ of [1, 2]) await place.world.rpc.call(sealBatch, { jobId });
    expect(await records(jobId)).toEqual(['SEAL_BATCH : ']);
    await flows.client.cancel(cancelled, 'enough');
    await flows.ended(cancelled);
    await place.world.rpc.call(sealBatch, { jobId: cancelled });
    expect(await records(cancelled)).toEqual(['CANCEL_JOB : enough']);
  });
});
