/** CancelJob in each state of a job, WaitJob with each end of a wait, and a replica that stops. */
import type { ClientUnaryCall } from '@grpc/grpc-js';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { type Refusal, refusalOf } from '../base/rpc.ts';
import { outcomes } from '../base/test-worker.ts';
import { type Held, stateName, World } from '../base/world.ts';

const { cancelJob, waitJob } = JobService.method;
const { result, failure, released, cancelled, aborted } = outcomes;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function cancel(jobId: string, reason = ''): Promise<Job> {
  const { job } = await world.rpc.call(cancelJob, { jobId, reason });
  return job as Job;
}

async function wait(jobId: string, seconds = 20): Promise<string> {
  const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: BigInt(seconds) } });
  return stateName(job?.state ?? 0);
}

describe('CancelJob of a job that no worker holds', () => {
  const later = { start: { case: 'delay', value: { seconds: 3_600n } } } as const;

  it.each([
    ['READY', {}],
    ['SCHEDULED', later],
  ])('ends a %s job at once, with the given reason', async (state, change) => {
    const jobId = await world.submit(await world.define(), change);
    expect(await world.stateOf(jobId)).toBe(state);
    const job = await cancel(jobId, 'wrong "file"');
    expect(job).toMatchObject({
      state: JobState.CANCELLED,
      stateReason: 'wrong "file"',
      outcome: { case: 'failure', value: { type: 'Cancelled', message: 'wrong "file"', failureCause: 5 } },
      attempts: [],
    });
    expect(job.endTime).toBeDefined();
  });

  it('ends a job that waits for its next attempt after a failed one', async () => {
    const { worker, jobId, attempt } = await world.hold({
      retryPolicy: { minBackoff: { seconds: 3_600n }, maxBackoff: { seconds: 3_600n } },
    });
    await worker.report({ of: attempt, outcome: failure({ retryDelay: { seconds: 3_600n } }) });
    expect(await world.stateOf(jobId)).toBe('SCHEDULED');
    expect(await cancel(jobId)).toMatchObject({ state: JobState.CANCELLED, attempts: [{ outcome: 2 }] });
  });

  it('prevents any later assignment', async () => {
    const name = await world.define();
    const worker = await world.openWorker(name);
    const ids = await Promise.all(Array.from({ length: 20 }, () => world.submit(name)));
    await Promise.all(ids.map((jobId) => cancel(jobId)));
    const next = await world.submit(name);
    expect((await worker.take(1)).map(({ jobId }) => jobId)).toEqual([uuidToBytes(next)]);
  });
});

describe('CancelJob of a job that a worker holds', () => {
  it.each([
    ['ASSIGNED', async () => undefined],
    ['RUNNING', async ({ worker, attempt }: Held) => void (await worker.started(attempt))],
  ])('in state %s asks the worker over the bus and in each heartbeat', async (state, prepare) => {
    const held = await world.hold();
    await prepare(held);
    expect(await world.stateOf(held.jobId)).toBe(state);
    expect(await cancel(held.jobId, 'enough')).toMatchObject({ state: JobState.CANCELLING, stateReason: 'enough' });
    await eventually('the notice arrives', () => held.worker.cancelled.includes(held.jobId));
    for (let i = 0; i < 2; i++) {
      const { cancels } = await held.worker.beat({
        heldAttempts: [{ jobId: held.attempt.jobId, attempt: 1, started: true }],
      });
      expect(cancels).toMatchObject([{ jobId: uuidToBytes(held.jobId), attempt: 1 }]);
    }
  });

  it.each([
    ['that it has stopped', cancelled],
    ['a failure', failure()],
    ['that it never started', released(4)],
    ['that it lost its lease', aborted],
  ])('leads to CANCELLED when the worker reports %s', async (_what, outcome) => {
    const { worker, jobId, attempt } = await world.hold();
    await cancel(jobId, 'enough');
    expect(await worker.report({ of: attempt, outcome })).toEqual(['ACCEPTED']);
    const job = await world.getJob(jobId);
    expect(job).toMatchObject({
      state: JobState.CANCELLED,
      stateReason: 'enough',
      attempts: [{ outcome: 3, counted: false }],
    });
    expect(await worker.report({ of: attempt, outcome: result() })).toEqual(['LEASE_LOST']);
  });

  it('leads to SUCCEEDED when a success comes first', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await cancel(jobId);
    expect(await worker.report({ of: attempt, outcome: result('done') })).toEqual(['ACCEPTED']);
    expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
  });

  it('leads to CANCELLED when the session is closed, and no other worker gets the job', async () => {
    const { worker, jobId } = await world.hold();
    await cancel(jobId);
    await worker.close();
    expect(await world.stateOf(jobId)).toBe('CANCELLED');
  });

  it('leads to CANCELLED when the grace period is over', async () => {
    const { worker, jobId, attempt } = await world.hold({ cancelGrace: { nanos: 200_000_000 } });
    await worker.started(attempt);
    await cancel(jobId);
    expect(await wait(jobId)).toBe('CANCELLED');
    expect(await worker.report({ of: attempt, outcome: result() })).toEqual(['LEASE_LOST']);
  });
});

describe('CancelJob of a cancelled job', () => {
  it('B65: changes nothing while the cancel is in progress and after it', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const first = await cancel(jobId, 'first');
    expect(await cancel(jobId, 'second')).toEqual(first);
    await worker.report({ of: attempt, outcome: cancelled });
    const ended = await cancel(jobId, 'third');
    expect(ended).toMatchObject({ state: JobState.CANCELLED, stateReason: 'first' });
    expect(await cancel(jobId)).toEqual(ended);
  });

  it.each([
    ['SUCCEEDED', result()],
    ['FAILED', failure({ nonRetryable: true })],
  ])('B65: is refused for a job that ended in another way: %s', async (state, outcome) => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome });
    const before = await world.getJob(jobId);
    const refusal = await world.rpc.refused(cancelJob, { jobId });
    expect(refusal).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'JOB_ENDED',
      preconditions: ['JOB_ENDED'],
    });
    expect(refusal.info?.metadata).toEqual({ job_id: jobId, state });
    expect(await world.getJob(jobId)).toEqual(before);
  });
});

describe('a run timeout', () => {
  it('is enforced by the server, too: the attempt counts and the job continues', async () => {
    const { worker, jobId, attempt } = await world.hold({
      runTimeout: { nanos: 100_000_000 },
      retryPolicy: { maxAttempts: 1 },
    });
    await worker.started(attempt);
    expect(await wait(jobId)).toBe('FAILED');
    expect(await world.getJob(jobId)).toMatchObject({
      outcome: { value: { failureCause: 2, type: 'RunTimeout' } },
      attemptCount: 1,
    });
    expect(await worker.report({ of: attempt, outcome: result() })).toEqual(['LEASE_LOST']);
  });
});

describe('WaitJob', () => {
  it('answers every caller when the job ends', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const start = performance.now();
    const waits = Promise.all(Array.from({ length: 50 }, () => wait(jobId, 60)));
    await world.stateOf(jobId);
    await worker.report({ of: attempt, outcome: result() });
    expect(new Set(await waits)).toEqual(new Set(['SUCCEEDED']));
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it.each(['a failure', 'a cancel'])('answers after %s', async (what) => {
    const { worker, jobId, attempt } = await world.hold();
    const waiting = wait(jobId, 60);
    if (what === 'a cancel') await cancel(jobId);
    await worker.report({ of: attempt, outcome: what === 'a cancel' ? cancelled : failure({ nonRetryable: true }) });
    expect(await waiting).toBe(what === 'a cancel' ? 'CANCELLED' : 'FAILED');
  });

  it('answers with the current job when the time is up, and at once for no time or an ended job', async () => {
    const jobId = await world.submit(await world.define());
    const start = performance.now();
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { nanos: 300_000_000 } });
    expect(stateName(job?.state ?? 0)).toBe('READY');
    expect(performance.now() - start).toBeGreaterThanOrEqual(299);
    expect(await wait(jobId, 0)).toBe('READY');
    await cancel(jobId);
    expect(await wait(jobId, 300)).toBe('CANCELLED');
  });

  it('releases a caller that cancels the call, and still serves the others', async () => {
    const { worker, jobId, attempt } = await world.hold();
    let leave: ClientUnaryCall | undefined;
    const gone = world.rpc.refused(waitJob, { jobId, timeout: { seconds: 60n } }, { onCall: (call) => (leave = call) });
    const stays = wait(jobId, 60);
    await world.stateOf(jobId);
    leave?.cancel();
    expect((await gone).code).toBe(Code.CANCELLED);
    await worker.report({ of: attempt, outcome: result() });
    expect(await stays).toBe('SUCCEEDED');
  });
});

describe('a stopping replica', () => {
  it('answers waiting callers with the current job, takes no new calls, and stops soon', async () => {
    const other = await World.start();
    const jobId = await other.submit(await other.define());
    const waits = Array.from({ length: 20 }, () => other.rpc.call(waitJob, { jobId, timeout: { seconds: 300n } }));
    const left = other.rpc.refused(
      waitJob,
      { jobId, timeout: { seconds: 300n } },
      { onCall: (call) => void setImmediate(() => call.cancel()) },
    );
    await left;
    expect(await other.stateOf(jobId)).toBe('READY');
    const start = performance.now();
    const stopped = other.replica.stop();
    const answers = await Promise.all(
      waits.map((call) =>
        call.then(
          ({ job }) => stateName(job?.state ?? 0),
          (refusal: Refusal) => refusal.reason,
        ),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(['READY']));
    const refusal = await refusalOf(other.rpc.call(waitJob, { jobId }, { timeoutMs: 5_000 }));
    expect([Code.UNAVAILABLE, Code.CANCELLED]).toContain(refusal.code);
    await stopped;
    expect(performance.now() - start).toBeLessThan(15_000);
    await other.stop();
  });
});
