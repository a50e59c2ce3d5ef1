/** Retry rules, delays and limits, as a worker and a reader of jobs see them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import type { Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import {
  Backoff,
  Jitter,
  RetryAction,
  RetryCause,
  type RetryPolicy,
  type RetryPolicySchema,
} from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { outcomes } from '../base/test-worker.ts';
import { type Held, World } from '../base/world.ts';

const { failure, aborted, result } = outcomes;
const soon = { nanos: 1_000_000 };
const infrastructure = failure({ type: 'NoDisk', failureCause: FailureCause.INFRASTRUCTURE });

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

function hold(retryPolicy: Exclude<MessageInitShape<typeof RetryPolicySchema>, RetryPolicy>): Promise<Held> {
  return world.hold({ retryPolicy: { minBackoff: soon, maxBackoff: soon, ...retryPolicy } });
}

/** Reports one outcome for each attempt of the job, in order. */
async function failWith({ worker, jobId, attempt }: Held, ...list: ReturnType<typeof failure>[]): Promise<Job> {
  let of = attempt;
  for (const [i, outcome] of list.entries()) {
    if (i > 0) [of = attempt] = await worker.take(1);
    expect(await worker.report({ of, outcome })).toEqual(['ACCEPTED']);
  }
  return world.getJob(jobId);
}

function attemptsOf(job: Job): [number, boolean][] {
  return job.attempts.map(({ outcome, counted }) => [outcome, counted]);
}

function msOf(time: Timestamp | undefined): number {
  if (!time) throw new Error('there is no time');
  return Number(time.seconds) * 1_000 + time.nanos / 1e6;
}

describe('retry rules', () => {
  it('match exit codes: one is retried, another ends the job', async () => {
    const rules = [
      { exitCodes: [2, 3], action: RetryAction.FAIL },
      { exitCodes: [75], action: RetryAction.RETRY, delay: {} },
    ];
    const job = await failWith(
      await hold({ rules, maxAttempts: 9 }),
      failure({ exitCode: 75 }),
      failure({ exitCode: 3 }),
    );
    expect(job).toMatchObject({
      state: 10,
      stateReason: 'retry rule 1 ends the job: attempt 2 of 9 failed (ValueError, exit code 3)',
      outcome: { value: { exitCode: 3 } },
    });
    expect(attemptsOf(job)).toEqual([
      [2, true],
      [2, true],
    ]);
  });

  it('can ignore a failure, which costs no attempt', async () => {
    const rules = [{ types: ['Throttled'], action: RetryAction.IGNORE, delay: soon }];
    const throttled = failure({ type: 'Throttled' });
    const job = await failWith(await hold({ rules, maxAttempts: 1 }), throttled, throttled, failure());
    expect(job).toMatchObject({ state: 10, attemptCount: 1, stateReason: 'attempt 1 of 1 failed' });
    expect(attemptsOf(job)).toEqual([
      [2, false],
      [2, false],
      [2, true],
    ]);
  });

  it('can pause the job, and explain how to resume it', async () => {
    const rules = [{ types: ['NeedsKey'], action: RetryAction.PAUSE }];
    const held = await hold({ rules });
    const job = await failWith(held, failure({ type: 'NeedsKey' }));
    expect(await world.stateOf(held.jobId)).toBe('PAUSED');
    expect(job).toMatchObject({
      stateReason: 'paused by retry rule 1: attempt 1 of 3 failed (NeedsKey); ResumeJob continues it',
      attemptCount: 1,
      sessionId: '',
    });
    await world.rpc.call(JobService.method.cancelJob, { jobId: held.jobId });
    expect(await world.stateOf(held.jobId)).toBe('CANCELLED');
  });

  it('apply to lost attempts if they name their cause', async () => {
    const rules = [{ causes: [RetryCause.INFRASTRUCTURE], action: RetryAction.FAIL }];
    const { worker, jobId } = await hold({ rules });
    await worker.close();
    const job = await world.getJob(jobId);
    expect(job).toMatchObject({ state: 10, attemptCount: 0 });
    expect(job.stateReason).toMatch(/^retry rule 1 ends the job: .*SessionClosed/);
    expect(attemptsOf(job)).toEqual([[7, false]]);
  });

  it('can make a lost attempt count', async () => {
    const rules = [{ causes: [RetryCause.INFRASTRUCTURE], action: RetryAction.RETRY }];
    const job = await failWith(await hold({ rules, maxAttempts: 2 }), aborted, aborted);
    expect(job).toMatchObject({ state: 10, attemptCount: 2, stateReason: 'attempt 2 of 2 failed' });
    expect(attemptsOf(job)).toEqual([
      [5, true],
      [5, true],
    ]);
  });

  it('for any failure do not apply to lost attempts', async () => {
    const held = await hold({ rules: [{ action: RetryAction.FAIL }] });
    const job = await failWith(held, aborted);
    expect(job).toMatchObject({ outcome: { case: undefined }, attemptCount: 0 });
  });
});

describe('failure limits', () => {
  it('of a cause end the job though no attempt counted', async () => {
    const job = await failWith(await hold({ limits: { infrastructure: 2 } }), infrastructure, infrastructure);
    expect(job).toMatchObject({
      state: 10,
      attemptCount: 0,
      stateReason: '2 attempts failed with the cause INFRASTRUCTURE: no more are allowed',
      outcome: { value: { type: 'NoDisk', failureCause: FailureCause.INFRASTRUCTURE } },
    });
  });

  it('of each cause are counted separately', async () => {
    const limits = { infrastructure: 2, application: 2 };
    const held = await hold({ limits, maxAttempts: 9 });
    const job = await failWith(held, infrastructure, failure(), aborted);
    expect(job).toMatchObject({ state: 10, attemptCount: 1 });
    expect(job.stateReason).toContain('INFRASTRUCTURE');
  });
});

describe('retry delays', () => {
  it('of a list follow the database clock', async () => {
    const delays = [{ nanos: 400_000_000 }, { seconds: 30n }];
    const held = await hold({ backoff: Backoff.LIST, jitter: Jitter.NONE, delays, maxAttempts: 5 });
    const first = await failWith(held, failure());
    const [next] = await held.worker.take(1);
    const { attempts, assignTime } = await world.getJob(held.jobId);
    const due = msOf(first.runTime ?? assignTime);
    expect(msOf(attempts[1]?.assignTime)).toBeGreaterThanOrEqual(due);
    expect(due - msOf(first.createTime)).toBeGreaterThan(400);
    await held.worker.report({ of: next as Assignment, outcome: failure() });
    const second = await world.getJob(held.jobId);
    const waitMs = msOf(second.runTime) - msOf(second.attempts[1]?.endTime);
    expect(waitMs).toBeLessThanOrEqual(30_000);
    expect(waitMs).toBeGreaterThan(25_000);
    expect(second.stateReason).toBe('attempt 2 of 5 failed (ValueError); waits 30000 ms for the next');
  });
});

describe('a run timeout', () => {
  it('of the submission ends the last attempt as timed out, and is named in the failure', async () => {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    const worker = await world.openWorker(definition);
    const jobId = await world.submit(definition, { runTimeout: { nanos: 50_000_000 } });
    await worker.started(...(await worker.take(1)));
    const job = await eventually('it times out', async () => {
      const now = await world.getJob(jobId);
      return now.state === 10 && now;
    });
    expect(attemptsOf(job)).toEqual([[8, true]]);
    expect(job.outcome.value).toMatchObject({ message: 'the attempt ran longer than its run timeout of 50 ms' });
  });

  it('that the worker reports counts as a timeout too, and its repeat as a duplicate', async () => {
    const { worker, jobId, attempt } = await hold({});
    const outcome = failure({ type: 'RunTimeout', failureCause: FailureCause.TIMEOUT });
    expect(await worker.report({ of: attempt, outcome })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome })).toEqual(['DUPLICATE']);
    const [next] = await worker.take(1);
    await worker.report({ of: next as Assignment, outcome: result() });
    expect(attemptsOf(await world.getJob(jobId))).toEqual([
      [8, true],
      [1, true],
    ]);
  });
});
