/** ReportAttempts: each attempt is closed once, by the session that holds it, and a repeat has no effect. */
import { randomUUID } from 'node:crypto';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFromBytes, uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { type Outcome, outcomes, resultName } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { reportAttempts } = SessionService.method;
const { result, failure, released, cancelled, aborted } = outcomes;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('a report', () => {
  it('of a result ends the job with it, byte for byte', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const value = {
      data: Uint8Array.from({ length: 256 }, (_, i) => 255 - i),
      contentType: 'a/b',
      metadata: { c: 'd' },
    };
    expect(await worker.report({ of: attempt, outcome: { case: 'result', value } })).toEqual(['ACCEPTED']);
    const job = await world.getJob(jobId);
    expect(job).toMatchObject({ state: 9, outcome: { case: 'result', value }, attemptCount: 1, sessionId: '' });
    expect(job.attempts).toMatchObject([{ attempt: 1, outcome: 1, counted: true, workerName: 'test-worker' }]);
  });

  it('of a failure leads to another attempt, until the last ends the job', async () => {
    const retryPolicy = { maxAttempts: 2, minBackoff: { nanos: 1_000_000 } };
    const { worker, jobId, attempt } = await world.hold({ retryPolicy });
    const cause = { type: 'Inner', message: 'why', cause: { type: 'Root', message: 'deep' } };
    const details = { data: Uint8Array.of(1, 2, 0), contentType: 'x/y', metadata: {} };
    expect(await worker.report({ of: attempt, outcome: failure({ stackTrace: 'at\nline', cause, details }) })).toEqual([
      'ACCEPTED',
    ]);
    const [second] = await worker.take(1);
    expect(second).toMatchObject({ attempt: 2, attemptCount: 1 });
    await worker.report({ of: second as Assignment, outcome: failure({ type: 'Other' }) });
    const job = await world.getJob(jobId);
    expect(job).toMatchObject({
      state: 10,
      attemptCount: 2,
      outcome: { case: 'failure', value: { type: 'Other', failureCause: 1 } },
    });
    expect(job.attempts[0]?.failure).toMatchObject({ type: 'ValueError', stackTrace: 'at\nline', cause, details });
    expect(job.attempts.map(({ outcome, counted }) => [outcome, counted])).toEqual([
      [2, true],
      [2, true],
    ]);
  });

  it('B64: of a failure can have any length: it is cut', async () => {
    const { worker, jobId, attempt } = await world.hold({ retryPolicy: { maxAttempts: 1 } });
    let cause: object | undefined;
    for (let i = 0; i < 40; i++) cause = { message: 'm', cause };
    const long = failure({
      type: 'T'.repeat(1_000),
      message: `${'x'.repeat((8 << 10) - 7)}😀${'y'.repeat(9_000)}`,
      stackTrace: 's\u0000'.repeat(20_000),
      cause,
    });
    expect(await worker.report({ of: attempt, outcome: long })).toEqual(['ACCEPTED']);
    const { outcome } = await world.getJob(jobId);
    if (outcome.case !== 'failure') throw new Error('it did not fail');
    expect([outcome.value.type.length, outcome.value.message.length, outcome.value.stackTrace.length]).toEqual([
      256,
      8 << 10,
      16 << 10,
    ]);
    expect(outcome.value.stackTrace).not.toContain('\u0000');
    let depth = 0;
    for (let level: typeof outcome.value | undefined = outcome.value; level; level = level.cause) depth++;
    expect(depth).toBe(16);
  });

  it('of endless failures can still be read: the oldest are left out', async () => {
    const policy = { maxAttempts: 30, minBackoff: { nanos: 1_000_000 }, maxBackoff: { nanos: 1_000_000 } };
    const { worker, jobId, attempt } = await world.hold({ retryPolicy: policy });
    const long = { message: 'm'.repeat(8 << 10), stackTrace: 's'.repeat(16 << 10) };
    let cause: object | undefined;
    for (let i = 0; i < 16; i++) cause = { ...long, cause };
    let last = attempt;
    for (let number = 1; number <= 14; number++) {
      expect(
        await worker.report({ of: last, outcome: failure({ ...long, cause, type: `failure-${number}` }) }),
      ).toEqual(['ACCEPTED']);
      [last = attempt] = await worker.take(1);
    }
    const { attempts } = await world.getJob(jobId);
    expect(attempts.at(-1)).toMatchObject({ attempt: 15, outcome: 0 });
    expect(attempts.at(-2)?.failure?.type).toBe('failure-14');
    expect(attempts.length).toBeGreaterThan(3);
    expect(attempts.length).toBeLessThan(15);
  });

  it.each([
    ['released, from ASSIGNED, goes back uncounted', released(4), ['READY'], [{ outcome: 4, counted: false }]],
    // The delay is random between zero and a second, so it may be over before the job is read.
    ['aborted waits for a moment', aborted, ['SCHEDULED', 'READY'], [{ outcome: 5, counted: false }]],
    [
      'cancelled without a cancel goes back as aborted',
      cancelled,
      ['SCHEDULED', 'READY'],
      [{ outcome: 5, counted: false }],
    ],
  ])('of an attempt that is %s', async (_what, outcome, states, attempts) => {
    const { worker, jobId, attempt } = await world.hold();
    expect(await worker.report({ of: attempt, outcome })).toEqual(['ACCEPTED']);
    const job = await world.getJob(jobId);
    expect(states).toContain(await world.stateOf(jobId));
    expect(job).toMatchObject({ attemptCount: 0, attempts, sessionId: '' });
  });

  it('B62: that is repeated is a DUPLICATE if it is equal, else LEASE_LOST', async () => {
    const { worker, attempt } = await world.hold();
    const say = (outcome: ReturnType<typeof result>) => worker.report({ of: attempt, outcome });
    expect(await say(result('yes'))).toEqual(['ACCEPTED']);
    expect(await say(result('yes'))).toEqual(['DUPLICATE']);
    expect(await say(result('no'))).toEqual(['LEASE_LOST']);
    for (const other of [failure(), released(), cancelled, aborted]) expect(await say(other)).toEqual(['LEASE_LOST']);
  });

  it('B62: of a failure that is repeated is a DUPLICATE, also after the job has continued', async () => {
    const { worker, attempt } = await world.hold({ retryPolicy: { minBackoff: { nanos: 1_000_000 } } });
    expect(await worker.report({ of: attempt, outcome: failure() })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome: failure() })).toEqual(['DUPLICATE']);
    expect(await worker.report({ of: attempt, outcome: failure({ message: 'other' }) })).toEqual(['LEASE_LOST']);
    const [second] = await worker.take(1);
    expect(await worker.report({ of: attempt, outcome: result() })).toEqual(['LEASE_LOST']);
    expect(await worker.report({ of: second as Assignment, outcome: result() })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome: failure() })).toEqual(['DUPLICATE']);
  });

  it.each([
    ['released', released(1), [cancelled, aborted]],
    ['aborted', aborted, [released(1)]],
    ['cancelled without a cancel', cancelled, []],
  ])(
    'B62: of an attempt that was %s is a DUPLICATE when repeated, also after the job has continued and ended',
    async (what, said, others) => {
      const { worker, jobId, attempt } = await world.hold();
      const say = (outcome: Outcome) => worker.report({ of: attempt, outcome });
      const twice = [said, said].map((outcome) => ({ of: attempt, outcome }));
      expect(await worker.report(...twice)).toEqual(['ACCEPTED', 'DUPLICATE']);
      expect(await say(said)).toEqual(['DUPLICATE']);
      const stranger = await world.openWorker('nothing');
      const [second] = await worker.take(1);
      expect(second).toMatchObject({ attempt: 2 });
      expect(await say(said)).toEqual(['DUPLICATE']);
      expect(await worker.report({ of: second as Assignment, outcome: result() })).toEqual(['ACCEPTED']);
      expect(await say(said)).toEqual(['DUPLICATE']);
      for (const outcome of [failure(), result()]) expect(await say(outcome)).toEqual(['LEASE_LOST']);
      if (what === 'released') for (const outcome of others) expect(await say(outcome)).toEqual(['LEASE_LOST']);
      expect(await stranger.report({ of: attempt, outcome: said })).toEqual(['LEASE_LOST']);
      expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
    },
  );

  it.each([
    ['released', released(4)],
    ['aborted', aborted],
    ['cancelled', cancelled],
  ])('B62: of an attempt that was %s for a cancel is a DUPLICATE when repeated', async (_what, outcome) => {
    const { worker, jobId, attempt } = await world.hold();
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    expect(await worker.report({ of: attempt, outcome })).toEqual(['ACCEPTED']);
    expect(await worker.report({ of: attempt, outcome })).toEqual(['DUPLICATE']);
    expect(await worker.report({ of: attempt, outcome: result() })).toEqual(['LEASE_LOST']);
    expect(await world.stateOf(jobId)).toBe('CANCELLED');
  });

  it('B61, B63: of an attempt of another session is LEASE_LOST for the item, and changes nothing', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const other = await world.hold();
    const say = (of: Assignment) => ({ of, outcome: result('stolen') });
    expect(
      await worker.report(
        say({ ...attempt, attempt: 2 }),
        say({ ...attempt, attempt: 0 }),
        say({ ...attempt, attempt: -1 }),
        say({ ...attempt, jobId: uuidToBytes(randomUUID()) }),
        say(other.attempt),
        { of: other.attempt, outcome: failure() },
        { of: other.attempt, outcome: released() },
        { of: attempt, outcome: result('own') },
      ),
    ).toEqual([...Array(7).fill('LEASE_LOST'), 'ACCEPTED']);
    expect(await world.stateOf(other.jobId)).toBe('ASSIGNED');
    expect((await world.getJob(jobId)).outcome).toMatchObject({
      case: 'result',
      value: { data: new TextEncoder().encode('own') },
    });
  });

  it('of many attempts is answered in its order', async () => {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    const worker = await world.openWorker(definition);
    await world.rpc.call(JobService.method.submitJobs, { jobs: Array.from({ length: 60 }, () => ({ definition })) });
    const attempts = await worker.take(60);
    const reports = attempts.map((of, i) => ({
      of,
      outcome: i % 3 === 0 ? result(String(i)) : i % 3 === 1 ? failure() : cancelled,
    }));
    const [first] = reports;
    expect(await worker.report(first as (typeof reports)[number])).toEqual(['ACCEPTED']);
    expect(await worker.report(...reports)).toEqual(reports.map((_, i) => (i === 0 ? 'DUPLICATE' : 'ACCEPTED')));
  });

  it('with two items for an attempt counts once: a copy of the first is a DUPLICATE, another is refused', async () => {
    const [one, other] = [
      await world.hold({ retryPolicy: { maxAttempts: 1 } }),
      await world.hold({ retryPolicy: { maxAttempts: 1 } }),
    ];
    const results = ['one', 'one', 'two'].map((text) => ({ of: one.attempt, outcome: result(text) }));
    expect(await one.worker.report(...results)).toEqual(['ACCEPTED', 'DUPLICATE', 'LEASE_LOST']);
    expect((await world.getJob(one.jobId)).outcome).toMatchObject({ value: { data: new TextEncoder().encode('one') } });
    const failures = ['one', 'one', 'two'].map((message) => ({ of: other.attempt, outcome: failure({ message }) }));
    expect(await other.worker.report(...failures)).toEqual(['ACCEPTED', 'DUPLICATE', 'LEASE_LOST']);
    expect((await world.getJob(other.jobId)).outcome).toMatchObject({ value: { message: 'one' } });
  });

  it('grants credits, too', async () => {
    const { worker, attempt } = await world.hold();
    const next = await world.submit(attempt.definition);
    const { results } = await world.rpc.call(reportAttempts, {
      sessionId: worker.sessionId,
      reports: [{ jobId: attempt.jobId, attempt: 1, outcome: result() }],
      credits: [{ creditId: 77n, slots: 1 }],
    });
    expect(results.map(resultName)).toEqual(['ACCEPTED']);
    await eventually('the next job arrives', () =>
      worker.assigned.some(({ creditId, jobId }) => creditId === 77n && Buffer.compare(jobId, uuidToBytes(next)) === 0),
    );
  });

  it.each([
    ['lack of a handler', 6],
    ['lack of space for its input', 7],
  ])('of a release for %s sends the job to workers of another kind', async (_why, reason) => {
    const { worker, jobId, attempt } = await world.hold();
    expect(await worker.report({ of: attempt, outcome: released(reason) })).toEqual(['ACCEPTED']);
    // The worker has a free slot, and the job is first in line.
    await worker.beat({ credits: [{ creditId: 1_000n, slots: 1 }] });
    const other = await world.openWorker(attempt.definition, 'something-else');
    const [again] = await other.take(1);
    expect(again && uuidFromBytes(again.jobId)).toBe(jobId);
    expect(worker.assigned).toHaveLength(1);
  });

  it('of a released attempt that was seen running counts as aborted', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.started(attempt);
    expect(await worker.report({ of: attempt, outcome: released() })).toEqual(['ACCEPTED']);
    expect((await world.getJob(jobId)).attempts).toMatchObject([{ outcome: 5, counted: false }]);
  });
});
