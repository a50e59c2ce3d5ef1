/** SubmitJob with the policy REPLACE, in each state of the job that holds the key. */
import { randomUUID } from 'node:crypto';
import { IdempotencyConflictPolicy } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, type SubmitJobResponse } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs } = JobService.method;
const idempotencyConflictPolicy = IdempotencyConflictPolicy.REPLACE;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

function replace(definition: string, idempotencyKey: string, requestId = ''): Promise<SubmitJobResponse> {
  const job = { definition, idempotencyKey, idempotencyConflictPolicy };
  return world.rpc.call(submitJob, { job, requestId });
}

describe('the policy REPLACE', () => {
  it('creates a job if the key is free, and cancels it for the next one', async () => {
    const [definition, key] = [await world.define(), randomUUID()];
    const first = await replace(definition, key);
    const second = await replace(definition, key);
    expect([first.existing, second.existing]).toEqual([false, false]);
    expect(await world.getJob(first.jobId)).toMatchObject({ stateReason: `replaced by job ${second.jobId}` });
    expect(await world.stateOf(first.jobId)).toBe('CANCELLED');
    expect(await world.getJob(second.jobId)).toMatchObject({ idempotencyKey: key, attempt: 0 });
    const existing = await world.rpc.call(submitJob, { job: { definition, idempotencyKey: key } });
    expect(existing).toMatchObject({ jobId: second.jobId, existing: true });
  });

  it('replaces a job with other content', async () => {
    const [definition, other, key] = [await world.define(), await world.define(), randomUUID()];
    const first = await world.submit(definition, { idempotencyKey: key });
    const { jobId } = await replace(other, key);
    expect([await world.stateOf(first), await world.stateOf(jobId)]).toEqual(['CANCELLED', 'READY']);
  });

  it('asks the worker that holds the job to stop, and does not wait for it', async () => {
    const [definition, key] = [await world.define(), randomUUID()];
    const worker = await world.openWorker(definition);
    const first = await world.submit(definition, { idempotencyKey: key });
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    const { jobId } = await replace(definition, key);
    expect([await world.stateOf(first), await world.stateOf(jobId)]).toEqual(['CANCELLING', 'READY']);
    await eventually('the notice arrives', () => worker.cancelled.includes(first));
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    expect(await world.stateOf(first)).toBe('CANCELLED');
  });

  it('takes the key of an ended job, which stays as it was', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const definition = (await world.getJob(jobId)).definition;
    const key = randomUUID();
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    const first = await world.submit(definition, { idempotencyKey: key });
    const [second] = await worker.take(1);
    if (!second) throw new Error('nothing was assigned');
    await worker.report({ of: second, outcome: outcomes.result('done') });
    const before = await world.getJob(first);
    expect(await replace(definition, key)).toMatchObject({ existing: false });
    expect(await world.getJob(first)).toEqual(before);
  });

  it('answers a repeat with the same request id by the same job, which it does not change', async () => {
    const [definition, key, requestId] = [await world.define(), randomUUID(), randomUUID()];
    await replace(definition, key);
    const { jobId } = await replace(definition, key, requestId);
    expect(await replace(definition, key, requestId)).toMatchObject({ jobId, existing: true });
    expect(await world.stateOf(jobId)).toBe('READY');
  });

  it('continues after an interrupted call: the old job cancelled, the key still its own', async () => {
    const [definition, key] = [await world.define(), randomUUID()];
    const first = await world.submit(definition, { idempotencyKey: key });
    await world.rpc.call(JobService.method.cancelJob, { jobId: first, reason: 'replaced by a job that never came' });
    const { jobId } = await replace(definition, key);
    expect(await world.stateOf(jobId)).toBe('READY');
    expect(await world.getJob(first)).toMatchObject({ stateReason: 'replaced by a job that never came' });
  });

  it('cancels nothing if another job of the call is refused', async () => {
    const definition = await world.define();
    const [open, kept] = [randomUUID(), randomUUID()];
    const first = await world.submit(definition, { idempotencyKey: open });
    await world.submit(definition, { idempotencyKey: kept });
    const refusal = await world.rpc.refused(submitJobs, {
      jobs: [
        { definition, idempotencyKey: open, idempotencyConflictPolicy },
        { definition, idempotencyKey: kept, idempotencyConflictPolicy: IdempotencyConflictPolicy.FAIL },
      ],
    });
    expect(refusal).toMatchObject({ reason: 'IDEMPOTENCY_CONFLICT' });
    expect(await world.stateOf(first)).toBe('READY');
  });

  it('resolves a race for one key: one job is left open', async () => {
    const [definition, key] = [await world.define(), randomUUID()];
    const calls = await Promise.allSettled(Array.from({ length: 20 }, () => replace(definition, key)));
    const made = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value.jobId] : []));
    for (const call of calls) if (call.status === 'rejected') expect(call.reason).toMatchObject({ reason: 'CONFLICT' });
    const states = await Promise.all(made.map((jobId) => world.stateOf(jobId)));
    expect(states.filter((state) => state !== 'CANCELLED')).toEqual(['READY']);
  });
});
