/** CancelJobs, PauseJobs, ResumeJobs and RetryJobs over the wire and through the TypeScript client, page by page. */
import { Client } from '@muster-jobs/sdk';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { cancelJobs, eraseJob, retryJob, retryJobs, submitJobs } = JobService.method;
const { archiveJobDefinition } = JobDefinitionService.method;

const validateOnly = { validateOnly: true };

let world: World;
let client: Client;

beforeAll(async () => {
  world = await World.start();
  client = new Client({ address: world.replica.grpcAddress });
});

afterAll(async () => {
  client?.close();
  await world?.stop();
});

async function submitMany(definition: string, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => ({ definition }));
  return (await world.rpc.call(submitJobs, { jobs })).jobs.map(({ jobId }) => jobId);
}

/** A definition with that many jobs that have failed for good. */
async function failedJobs(count: number) {
  const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
  const worker = await world.openWorker(definition);
  const ids = await submitMany(definition, count);
  for (const attempt of await worker.take(count)) await worker.report({ of: attempt, outcome: outcomes.failure() });
  await worker.close();
  return { definition, ids };
}

describe('CancelJobs', () => {
  it('cancels matching open jobs, page by page, and no others', async () => {
    const [definition, other] = [await world.define(), await world.define()];
    await submitMany(definition, 1_100);
    const [spared] = await submitMany(other, 1);
    expect(await client.cancelJobs({ definition }, { validateOnly: true })).toBe(1_100);
    const first = await world.rpc.call(cancelJobs, { filter: { definition }, reason: 'the season is over' });
    expect(first).toMatchObject({ cancelledCount: 1_000, nextPageToken: expect.stringMatching(/./) });
    const second = await world.rpc.call(cancelJobs, {
      filter: { definition },
      reason: 'the season is over',
      pageToken: first.nextPageToken,
    });
    expect(second).toMatchObject({ cancelledCount: 100, nextPageToken: '' });
    expect(await client.cancelJobs({ definition })).toBe(0);
    expect(await world.stateOf(spared as string)).toBe('READY');
  });

  it('asks workers to stop, as CancelJob does, and counts no job twice', async () => {
    const { worker, jobId } = await world.hold();
    const { definition } = await world.getJob(jobId);
    const waiting = await world.submit(definition);
    expect(await client.cancelJobs({ definition }, { reason: 'enough' })).toBe(2);
    await eventually('the notice arrives', () => worker.cancelled.includes(jobId));
    expect(await world.getJob(jobId)).toMatchObject({ state: JobState.CANCELLING, stateReason: 'enough' });
    expect(await world.stateOf(waiting)).toBe('CANCELLED');
    expect(await client.cancelJobs({ definition })).toBe(0);
  });

  it('takes the requested states', async () => {
    const definition = await world.define();
    const ready = await world.submit(definition);
    const later = await world.submit(definition, { start: { case: 'delay', value: { seconds: 3_600n } } });
    expect(await client.cancelJobs({ definition, states: [JobState.SCHEDULED] })).toBe(1);
    expect([await world.stateOf(ready), await world.stateOf(later)]).toEqual(['READY', 'CANCELLED']);
  });

  it('refuses a page token of another filter', async () => {
    const definition = await world.define();
    await submitMany(definition, 1_001);
    const { nextPageToken } = await world.rpc.call(cancelJobs, { filter: { definition }, validateOnly: true });
    const refusal = await world.rpc.refused(cancelJobs, { filter: {}, pageToken: nextPageToken });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['page_token'] });
  });
});

describe('PauseJobs and ResumeJobs', () => {
  it('pause and resume matching jobs, page by page, and no others', async () => {
    const [definition, other] = [await world.define(), await world.define()];
    await submitMany(definition, 1_001);
    const [spared = ''] = await submitMany(other, 1);
    expect(await client.pauseJobs({ definition }, { validateOnly: true })).toBe(1_001);
    expect(await client.pauseJobs({ definition }, { reason: 'not today' })).toBe(1_001);
    expect(await client.pauseJobs({ definition })).toBe(0);
    expect(await world.stateOf(spared)).toBe('READY');
    expect(await client.resumeJobs({ definition }, { validateOnly: true })).toBe(1_001);
    expect(await client.resumeJobs({ definition })).toBe(1_001);
    expect(await client.resumeJobs({ definition })).toBe(0);
  });

  it('leave alone what runs, unless it is to be paused too', async () => {
    const { worker, jobId } = await world.hold();
    const { definition } = await world.getJob(jobId);
    const waiting = await world.submit(definition);
    expect(await client.pauseJobs({ definition }, { validateOnly: true })).toBe(1);
    expect(await client.pauseJobs({ definition })).toBe(1);
    expect([await world.stateOf(jobId), await world.stateOf(waiting)]).toEqual(['ASSIGNED', 'PAUSED']);
    expect(await client.pauseJobs({ definition }, { running: true, graceMs: 60_000, reason: 'enough' })).toBe(1);
    await eventually('the worker is asked', () => worker.suspends.length === 1);
    expect(await world.getJob(jobId)).toMatchObject({ state: JobState.ASSIGNED, stateReason: 'enough' });
    expect(await client.resumeJobs({ definition })).toBe(2);
    expect([await world.stateOf(jobId), await world.stateOf(waiting)]).toEqual(['ASSIGNED', 'READY']);
  });

  it('leave to a batch what is paused with it', async () => {
    const definition = await world.define();
    const batch = await client.createBatch();
    await batch.submit(definition);
    await client.pause(batch.jobId, '', { running: true });
    await eventually('the member is paused', async () => (await client.resumeJobs({ definition }, validateOnly)) === 1);
    expect(await client.resumeJobs({ definition })).toBe(0);
    await client.resume(batch.jobId);
    await eventually('it is resumed', async () => (await client.resumeJobs({ definition }, validateOnly)) === 0);
  });
});

describe('RetryJobs', () => {
  it('retries each job once, however often it is called', async () => {
    const { definition, ids } = await failedJobs(40);
    expect(await client.redrive({ definition }, { validateOnly: true })).toEqual({
      jobIds: [],
      retriedJobIds: ids,
      skippedCount: 0,
    });
    const first = await client.redrive({ definition });
    expect(first).toMatchObject({ retriedJobIds: ids, skippedCount: 0 });
    expect(await world.getJob(first.jobIds[7] as string)).toMatchObject({ state: JobState.READY, retryOf: ids[7] });
    expect(await client.redrive({ definition })).toEqual({ jobIds: [], retriedJobIds: [], skippedCount: 40 });
    expect(await client.cancelJobs({ definition }, { validateOnly: true })).toBe(40);
  });

  it('creates one new job for each under concurrent calls', async () => {
    const { definition, ids } = await failedJobs(40);
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.redrive({ definition })));
    const retried = answers.flatMap((answer) => answer.retriedJobIds);
    expect(retried.sort()).toEqual([...ids].sort());
    expect(await client.cancelJobs({ definition }, { validateOnly: true })).toBe(40);
  });

  it('skips jobs that were retried manually, erased, or are of an archived definition', async () => {
    const { definition, ids } = await failedJobs(3);
    const [retried, erased, left] = ids as [string, string, string];
    await world.rpc.call(retryJob, { jobId: retried });
    await world.rpc.call(eraseJob, { jobId: erased, reason: 'asked for' });
    expect(await client.redrive({ definition }, { validateOnly: true })).toMatchObject({
      retriedJobIds: [left],
      skippedCount: 2,
    });
    await world.rpc.call(archiveJobDefinition, { name: definition });
    expect(await client.redrive({ definition })).toEqual({ jobIds: [], retriedJobIds: [], skippedCount: 3 });
  });

  it('takes failed and expired jobs by default, and cancelled ones on request', async () => {
    const definition = await world.define();
    const cancelled = await world.submit(definition);
    await client.cancel(cancelled);
    expect(await client.redrive({ definition })).toEqual({ jobIds: [], retriedJobIds: [], skippedCount: 0 });
    const { retriedJobIds } = await client.redrive({ definition, states: [JobState.CANCELLED] });
    expect(retriedJobIds).toEqual([cancelled]);
  });

  it('selects by the failure type', async () => {
    const { definition, ids } = await failedJobs(2);
    const { type } = (await world.getJob(ids[0] as string)).outcome.value as { type: string };
    expect((await world.rpc.call(retryJobs, { filter: { definition, failureTypes: ['Other'] } })).jobIds).toEqual([]);
    expect((await world.rpc.call(retryJobs, { filter: { definition, failureTypes: [type] } })).jobIds).toHaveLength(2);
  });
});
