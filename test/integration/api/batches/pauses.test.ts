/** Pauses of batches: their members wait, also those that are added meanwhile, and continue when the batch is resumed. */
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, PausedTimeouts } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { createBatch, sealBatch } = BatchService.method;
const { cancelJob, listJobs, pauseJob, resumeJob, submitJobs, waitJob } = JobService.method;

/** More than a page of the engine. */
const MANY = 1_001;

describe.each(databaseKinds)('a paused batch on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  async function create(): Promise<string> {
    return (await world.rpc.call(createBatch, { batch: {} })).batch?.job?.jobId ?? '';
  }

  async function add(batchJobId: string, definition: string, count: number, changes = {}): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ definition, ...changes }));
    return (await world.rpc.call(submitJobs, { jobs, batchJobId })).jobs.map(({ jobId }) => jobId);
  }

  const pause = (jobId: string) => world.rpc.call(pauseJob, { jobId, running: true, reason: 'not now' });

  /** How many of its members are in this state, up to a page. */
  async function count(parentJobId: string, state: JobState): Promise<number> {
    const filter = { parentJobId, states: [state] };
    return (await world.rpc.call(listJobs, { filter, pageSize: 1_000 })).jobs.length;
  }

  const isDone = (jobId: string, state: JobState, jobs: number) =>
    eventually(`${jobs} members are ${stateName(state)}`, async () => (await count(jobId, state)) === jobs);

  it('keeps all its members from running, more than a page of them, until it is resumed', async () => {
    const definition = await world.define();
    const jobId = await create();
    await add(jobId, definition, MANY);
    await pause(jobId);
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await isDone(jobId, JobState.READY, 0);
    const worker = await world.openWorker(definition);
    await worker.becomeReachable();
    await worker.offer(1);
    await world.rpc.call(resumeJob, { jobId });
    await isDone(jobId, JobState.PAUSED, 0);
    await isDone(jobId, JobState.ASSIGNED, 1);
    await world.rpc.call(cancelJob, { jobId });
  });

  it('takes new members, which are paused from the first', async () => {
    const definition = await world.define();
    const jobId = await create();
    await pause(jobId);
    const worker = await world.openWorker(definition);
    await worker.becomeReachable();
    await worker.offer(3);
    await add(jobId, definition, 2);
    const [later = ''] = await add(jobId, definition, 1, { start: { case: 'delay', value: { seconds: 3_600n } } });
    expect(await count(jobId, JobState.PAUSED)).toBe(3);
    expect((await world.getJob(later)).stateReason).toBe(`job ${jobId}, to which it belongs, is paused`);
    await world.rpc.call(sealBatch, { jobId });
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await world.rpc.call(resumeJob, { jobId });
    const attempts = await eventually('two begin', () => worker.assigned.length === 2 && worker.assigned);
    await worker.report(...attempts.map((of) => ({ of, outcome: outcomes.result() })));
    await eventually('the third waits for its time', async () => (await world.stateOf(later)) === 'SCHEDULED');
    await world.rpc.call(cancelJob, { jobId: later });
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    expect(job?.endTime).toBeDefined();
  });

  it('stops the total timeouts of new members too, if it stops its own', async () => {
    const definition = await world.define({ totalTimeout: { nanos: 300_000_000 } });
    const jobId = await create();
    await world.rpc.call(pauseJob, { jobId, running: true, timeouts: PausedTimeouts.STOP });
    const [member = ''] = await add(jobId, definition, 1);
    const other = await world.submit(definition);
    await eventually('the same time has passed for another job', async () => (await world.stateOf(other)) === 'FAILED');
    expect(await world.stateOf(member)).toBe('PAUSED');
    await world.rpc.call(resumeJob, { jobId });
    await eventually('its time begins with the resume', async () => (await world.stateOf(member)) === 'FAILED');
  });

  it('asks the workers of its members to stop, and counts those that end all the same', async () => {
    const definition = await world.define();
    const jobId = await create();
    const worker = await world.openWorker(definition);
    await add(jobId, definition, 2);
    await world.rpc.call(sealBatch, { jobId });
    const [one, two] = await worker.take(2);
    if (!one || !two) throw new Error('nothing was assigned');
    await pause(jobId);
    await eventually('both are asked to stop', () => worker.suspends.length === 2);
    await worker.report(
      { of: one, outcome: { case: 'suspended', value: {} } },
      { of: two, outcome: outcomes.result() },
    );
    await isDone(jobId, JobState.PAUSED, 1);
    expect(await world.stateOf(jobId)).toBe('PAUSED');
    await world.rpc.call(resumeJob, { jobId });
    const [again] = await worker.take(1);
    await worker.report({ of: again as typeof one, outcome: outcomes.result() });
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    expect(job?.state).toBe(JobState.SUCCEEDED);
  });
});
