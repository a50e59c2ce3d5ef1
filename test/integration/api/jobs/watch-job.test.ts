/** WatchJob as clients see it: the current job, each visible change, its end. */
import { toBinary } from '@bufbuild/protobuf';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { type Job, JobSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService, type WatchJobResponse } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { Rpc, readAll } from '../base/rpc.ts';
import { outcomes } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { watchJob, cancelJob, pauseJob, resumeJob } = JobService.method;
let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

/** Collects the messages of a watch, and its end. */
function follow(call: ClientReadableStream<WatchJobResponse>) {
  const jobs: Job[] = [];
  call.on('data', ({ job }: WatchJobResponse) => jobs.push(job as Job));
  const end = readAll(call);
  const shows = (what: string, probe: (job: Job) => boolean) =>
    eventually(`the watch shows ${what}`, () => jobs.find(probe));
  return { jobs, end, shows, showsState: (state: string) => shows(state, (job) => stateName(job.state) === state) };
}

const watch = (jobId: string) => follow(world.rpc.stream(watchJob, { jobId }));

describe('WatchJob', () => {
  it('shows each step of a job, and its progress, each once, and ends with OK at the job’s end', async () => {
    const definition = await world.define();
    const jobId = await world.submit(definition);
    const { jobs, end, shows, showsState } = watch(jobId);
    await showsState('READY');
    const worker = await world.openWorker(definition);
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('one was asked for');
    await showsState('ASSIGNED');
    await worker.started(attempt);
    await showsState('RUNNING');
    const progress = { jobId: attempt.jobId, attempt: attempt.attempt, sequence: 1n, progress: { fraction: 0.5 } };
    await worker.beat({ progress: [progress] });
    await shows('progress', (job) => job.progress?.fraction === 0.5);
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    expect((await end).refusal).toBeUndefined();
    const revisions = jobs.map(({ revision }) => Number(revision));
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    const last = jobs.at(-1) as Job;
    expect(stateName(last.state)).toBe('SUCCEEDED');
    expect(toBinary(JobSchema, last)).toEqual(toBinary(JobSchema, await world.getJob(jobId)));
  });

  it('shows an ended job once', async () => {
    const jobId = await world.submit(await world.define(), { expireTime: { seconds: 1n } });
    await eventually('it expires', async () => (await world.stateOf(jobId)) === 'EXPIRED');
    const { messages, refusal } = await readAll(world.rpc.stream(watchJob, { jobId }));
    expect([messages.length, refusal]).toEqual([1, undefined]);
  });

  it('shows a cancel to every watcher', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const watches = Array.from({ length: 20 }, () => watch(jobId));
    for (const { showsState } of watches) await showsState('ASSIGNED');
    await world.rpc.call(cancelJob, { jobId });
    for (const { showsState } of watches) await showsState('CANCELLING');
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    for (const { end, jobs } of watches) {
      expect((await end).refusal).toBeUndefined();
      expect(jobs.map(({ state }) => stateName(state))).toEqual(['ASSIGNED', 'CANCELLING', 'CANCELLED']);
    }
  });

  it('is refused with details for an unknown job', async () => {
    const { refusal: malformed } = await readAll(world.rpc.stream(watchJob, { namespace: 'Bad', jobId: 'x' }));
    expect(malformed).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['namespace', 'job_id'] });
    const jobId = await world.submit(await world.define());
    const { refusal: missing } = await readAll(world.rpc.stream(watchJob, { namespace: 'other', jobId }));
    expect(missing).toMatchObject({ code: Code.NOT_FOUND, reason: 'JOB_NOT_FOUND' });
  });

  it('ends at its deadline and at a cancel, without a trace', async () => {
    const jobId = await world.submit(await world.define());
    const { messages, refusal } = await readAll(world.rpc.stream(watchJob, { jobId }, { timeoutMs: 2_000 }));
    expect([messages.length, refusal?.code]).toEqual([1, Code.DEADLINE_EXCEEDED]);
    const call = world.rpc.stream(watchJob, { jobId });
    const { end, showsState } = follow(call);
    await showsState('READY');
    call.cancel();
    expect((await end).refusal?.code).toBe(Code.CANCELLED);
  });

  it('merges changes while its reader is slow, and shows the end', async () => {
    const input = { data: new Uint8Array(200_000), contentType: 'application/octet-stream' };
    const jobId = await world.submit(await world.define(), { input });
    const call = world.rpc.stream(watchJob, { jobId });
    call.pause();
    // Before its first read the library accepts any number of messages.
    await eventually('the first message', () => call.read());
    const rounds = 50;
    for (let i = 0; i < rounds; i++) {
      await world.rpc.call(pauseJob, { jobId });
      await world.rpc.call(resumeJob, { jobId });
    }
    await world.rpc.call(cancelJob, { jobId });
    const { messages, refusal } = await readAll(call);
    expect(refusal).toBeUndefined();
    expect(stateName(messages.at(-1)?.job?.state ?? 0)).toBe('CANCELLED');
    expect(messages.at(-1)?.job?.revision).toBe(BigInt(2 * rounds + 2));
    expect(messages.length).toBeLessThan(rounds);
  });

  it('ends with UNAVAILABLE when the replica stops, and does not delay that', async () => {
    const stopping = await World.start();
    const jobId = await stopping.submit(await stopping.define());
    const { end, showsState } = follow(stopping.rpc.stream(watchJob, { jobId }));
    const other = new Rpc(stopping.replica.grpcAddress);
    const slow = other.stream(watchJob, { jobId });
    const slowEnd = readAll(slow);
    slow.pause();
    await showsState('READY');
    const start = performance.now();
    await stopping.stop();
    expect((await end).refusal).toMatchObject({ code: Code.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect((await slowEnd).refusal?.code).toBe(Code.UNAVAILABLE);
    expect(performance.now() - start).toBeLessThan(4_500);
    other.close();
  });
});
