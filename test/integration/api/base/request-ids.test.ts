/** A late repeat of a call whose effect was undone since: it changes nothing, and returns the current state. */

import type { DescMethodUnary } from '@bufbuild/protobuf';
import { CircuitBreakerService } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { NamespaceService } from '@muster-jobs/sdk/gen/muster/v1/namespace_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from './test-worker.ts';
import { World } from './world.ts';

const { cancelJob, pauseJob, resumeJob, updateJob, submitJob, waitJob, retryJobs } = JobService.method;
const { applyJobDefinition, archiveJobDefinition, getJobDefinition } = JobDefinitionService.method;
const { closeCircuitBreaker, listCircuitBreakers } = CircuitBreakerService.method;
const { updateNamespace } = NamespaceService.method;
const body = { case: 'task', value: {} } as const;
const newId = () => crypto.randomUUID();

describe.each(databaseKinds)('a late repeat, on %s,', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const submit = async () => world.submit(await world.define());

  async function expectReused(method: DescMethodUnary, request: object): Promise<void> {
    expect(await world.rpc.refused(method as typeof pauseJob, request)).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      reason: 'REQUEST_ID_REUSED',
      fields: ['request_id'],
    });
  }

  it('of PauseJob pauses nothing again', async () => {
    const jobId = await submit();
    const pause = { jobId, reason: 'once', requestId: newId() };
    expect((await world.rpc.call(pauseJob, pause)).job?.state).toBe(JobState.PAUSED);
    const { job } = await world.rpc.call(resumeJob, { jobId });
    expect((await world.rpc.call(pauseJob, pause)).job).toEqual(job);
    const read = await world.getJob(jobId);
    expect(read).toMatchObject({ revision: job?.revision, state: JobState.READY });
    await expectReused(pauseJob, { ...pause, reason: 'another' });
    await expectReused(resumeJob, { jobId, requestId: pause.requestId });
    expect(await world.getJob(jobId)).toEqual(read);
  });

  const pausing = async (request: { jobId: string; requestId?: string }) =>
    (await world.rpc.call(pauseJob, request)).job;
  const resuming = async (request: { jobId: string; requestId?: string }) =>
    (await world.rpc.call(resumeJob, request)).job;

  it.each([
    { call: 'PauseJob that found the job paused already', make: pausing, undo: resuming, after: JobState.READY },
    { call: 'ResumeJob', make: resuming, undo: pausing, after: JobState.PAUSED },
  ])('of $call does nothing again', async ({ make, undo, after }) => {
    const jobId = await submit();
    const request = { jobId, requestId: newId() };
    await pausing({ jobId });
    await make(request);
    await undo({ jobId });
    expect((await make(request))?.state).toBe(after);
  });

  it('of UpdateJob resets nothing', async () => {
    const jobId = await submit();
    const update = { jobId, priority: 5, requestId: newId() };
    await world.rpc.call(updateJob, update);
    await world.rpc.call(updateJob, { jobId, priority: 7 });
    expect((await world.rpc.call(updateJob, update)).job?.priority).toBe(7);
    await expectReused(updateJob, { ...update, priority: 6 });
  });

  it('is answered with the job that has ended since', async () => {
    const jobId = await submit();
    const pause = { jobId, requestId: newId() };
    await world.rpc.call(pauseJob, pause);
    const { job } = await world.rpc.call(cancelJob, { jobId });
    expect((await world.rpc.call(pauseJob, pause)).job).toEqual(job);
    expect(await world.rpc.refused(pauseJob, { jobId, requestId: newId() })).toMatchObject({ reason: 'JOB_ENDED' });
  });

  it('of CancelJob finds nothing to change', async () => {
    const { jobId } = await world.hold();
    const cancel = { jobId, reason: 'once', requestId: newId() };
    const { job } = await world.rpc.call(cancelJob, cancel);
    expect((await world.rpc.call(cancelJob, { ...cancel, reason: 'twice' })).job).toEqual(job);
  });

  it('at the same time as the first call makes its change once', async () => {
    const jobId = await submit();
    const before = await world.getJob(jobId);
    const pause = { jobId, requestId: newId() };
    const jobs = await Promise.all([1, 2, 3, 4].map(() => world.rpc.call(pauseJob, pause)));
    expect(jobs.map(({ job }) => job?.state)).toEqual(Array(4).fill(JobState.PAUSED));
    expect((await world.getJob(jobId)).revision).toBe(before.revision + 1n);
  });

  it('of a refused call is carried out', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const pause = { jobId, requestId: newId() };
    expect(await world.rpc.refused(pauseJob, pause)).toMatchObject({ reason: 'JOB_NOT_WAITING' });
    const retryDelay = { seconds: 3_600n };
    await worker.report({ of: attempt, outcome: outcomes.failure({ retryDelay }) });
    expect((await world.rpc.call(pauseJob, pause)).job?.state).toBe(JobState.PAUSED);
  });

  it('is refused for another call, whatever that one requests', async () => {
    const requestId = newId();
    const definition = await world.define();
    const { jobId } = await world.rpc.call(submitJob, { job: { definition }, requestId });
    await expectReused(pauseJob, { jobId, requestId });
    await expectReused(archiveJobDefinition, { name: definition, requestId });
    expect(await world.stateOf(jobId)).toBe('READY');
  });

  it('of RetryJobs retries nothing that has ended since, and continues from the same position', async () => {
    const definition = await world.define();
    const labels = { a: '1', b: '2' };
    const expire = async () => {
      const jobId = await world.submit(definition, { labels, expireTime: { seconds: 1n } });
      await world.rpc.call(waitJob, { jobId });
      return jobId;
    };
    const before = [await expire(), await expire()];
    const filter = { definition, labels };
    const redrive = { filter, requestId: newId() };
    const first = await world.rpc.call(retryJobs, redrive);
    expect(first.retriedJobIds).toEqual(before);
    const since = await expire();
    const sorted = { ...redrive, filter: { definition, labels: { b: '2', a: '1' } } };
    const again = await world.rpc.call(retryJobs, sorted);
    expect(again).toMatchObject({ jobIds: [], retriedJobIds: [], skippedCount: 2, nextPageToken: first.nextPageToken });
    await expectReused(retryJobs, { ...redrive, filter: { definition } });
    expect(await world.rpc.call(retryJobs, { ...redrive, validateOnly: true })).toMatchObject({
      retriedJobIds: [since],
    });
    const next = await world.rpc.call(retryJobs, { filter, requestId: newId() });
    expect(next).toMatchObject({ retriedJobIds: [since], skippedCount: 2 });
  });

  it('of ApplyJobDefinition creates no version of old content, and returns the one it made', async () => {
    const name = `applied-${newId()}`;
    const newest = async () => (await world.rpc.call(getJobDefinition, { name })).definition;
    const labels = { a: '1', b: '2' };
    const first = { definition: { name, body, labels }, requestId: newId() };
    const made = await world.rpc.call(applyJobDefinition, first);
    const { definition } = await world.rpc.call(applyJobDefinition, { definition: { name, body, priority: 9 } });
    await world.rpc.call(archiveJobDefinition, { name });
    const archived = await newest();
    expect(archived?.version).toBe(definition?.version);
    const repeat = { ...first, definition: { ...first.definition, labels: { b: '2', a: '1' } } };
    const again = await world.rpc.call(applyJobDefinition, repeat);
    expect(again).toMatchObject({ created: false, definition: { version: made.definition?.version, labels } });
    expect(await newest()).toEqual(archived);
    await expectReused(applyJobDefinition, { ...first, definition: { name, body, priority: 1 } });
    expect(await newest()).toEqual(archived);
  });

  it('of ArchiveJobDefinition archives nothing again', async () => {
    const name = await world.define();
    const archive = { name, requestId: newId() };
    await world.rpc.call(archiveJobDefinition, archive);
    await world.rpc.call(applyJobDefinition, { definition: { name, body } });
    expect((await world.rpc.call(archiveJobDefinition, archive)).definition?.archiveTime).toBeUndefined();
    await world.submit(name);
  });

  it('of UpdateNamespace does not shorten the retention again', async () => {
    const set = (days: bigint) => ({
      namespace: { name: `kept-${kind.toLowerCase()}`, retention: { seconds: days * 86_400n } },
    });
    const short = { ...set(1n), requestId: newId() };
    await world.rpc.call(updateNamespace, short);
    await world.rpc.call(updateNamespace, set(30n));
    const { namespace } = await world.rpc.call(updateNamespace, short);
    expect(namespace?.retention?.seconds).toBe(30n * 86_400n);
  });

  it('of CloseCircuitBreaker leaves a breaker open that has opened since', async () => {
    const name = `breaker-${newId()}`;
    const hour = { seconds: 3_600n };
    const circuitBreaker = { name, failureThreshold: 1, window: hour, openDuration: hour };
    const retryPolicy = { maxAttempts: 1 };
    const definition = await world.define({ circuitBreaker, retryPolicy });
    const worker = await world.openWorker(definition);
    const fail = async () => {
      await world.submit(definition);
      const [of] = await worker.take(1);
      if (!of) throw new Error('nothing was assigned');
      await worker.report({ of, outcome: outcomes.failure() });
    };
    const find = async () =>
      (await world.rpc.call(listCircuitBreakers, { pageSize: 1_000 })).circuitBreakers.find((one) => one.name === name);
    const close = { name, requestId: newId() };
    await fail();
    await world.rpc.call(closeCircuitBreaker, close);
    await fail();
    const open = await find();
    expect((await world.rpc.call(closeCircuitBreaker, close)).circuitBreaker).toEqual(open);
    expect(await find()).toEqual(open);
    expect(open?.failureCount).toBe(1);
  });
});
