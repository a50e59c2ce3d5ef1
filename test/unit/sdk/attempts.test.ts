/** Cancels, waiting attempts, run timeouts, progress and checkpoints. */
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import type { Assignment } from '../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import { payload } from '../../../sdk/typescript/src/payload.ts';
import { MAX_CANCELS } from '../../../sdk/typescript/src/worker/core/base/limits.ts';
import { Cancels } from '../../../sdk/typescript/src/worker/core/dispatch/cancels.ts';
import { progressMessage } from '../../../sdk/typescript/src/worker/progress.ts';
import { assign, CoreWorld, failure } from './support/core-world.ts';

/** A session with one slot, busy with job 1, and a credit with prefetch places. */
async function busy() {
  const world = new CoreWorld({ slots: 1 });
  const credit = await world.ready();
  const warm = [assign(101, credit)] as [Assignment];
  await world.deliver(warm);
  await world.end(warm[0]);
  await world.acknowledge();
  const next = world.lastCredit;
  const job = assign(1, next);
  await world.deliver([job]);
  return { world, job, credit: next, prefetched: (n: number) => assign(n, next, { prefetch: true }) };
}

describe.each([
  { request: 'a cancel', notices: 'cancels', why: 'CANCELLED' },
  { request: 'a request to suspend', notices: 'suspends', why: 'SUSPENDED' },
])('$request', ({ notices, why }) => {
  test('loses to a success that comes first', async () => {
    const { world, job } = await busy();
    await world.deliver([], { [notices]: [job] });
    await world.end(job);
    expect(world.outcomes.at(-1)).toBe('1.1 result');
  });

  test('releases an attempt that waits, which never starts', async () => {
    const { world, job, prefetched } = await busy();
    const waiting = prefetched(2);
    await world.deliver([waiting]);
    await world.deliver([], { [notices]: [waiting] });
    expect(world.outcomes.at(-1)).toBe(`2.1 released ${why}`);
    await world.end(job);
    expect(world.started).not.toContain(waiting);
  });
});

describe('a cancel', () => {
  test('signals a running handler, and the attempt is reported as cancelled when the handler gives up', async () => {
    const { world, job } = await busy();
    await world.deliver([], { cancels: [job] });
    await world.deliver([], { cancels: [job] });
    expect(world.stops).toEqual([{ slot: world.slotOf(job), reason: 'cancelled' }]);
    expect(world.outcomes).toEqual(['101.1 result']);
    await world.end(job, failure('AbortError'));
    expect(world.outcomes.at(-1)).toBe('1.1 cancelled');
  });

  test('prevents an attempt that was handed over but not entered', async () => {
    const world = new CoreWorld({ slots: 1 });
    world.entersAtOnce = false;
    const credit = await world.ready();
    const job = assign(1, credit);
    await world.deliver([job]);
    await world.deliver([], { cancels: [job] });
    expect(world.outcomes).toEqual(['1.1 released CANCELLED']);
    expect(world.running.size).toBe(0);
    expect(world.lastCredit).toMatchObject({ creditId: 2n, slots: 1 });
  });

  test('that arrives before its assignment is remembered for 15 s', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    const [early, late] = [assign(1, world.lastCredit), assign(2, world.lastCredit)];
    await world.deliver([], { cancels: [early, late] });
    expect(world.reports).toHaveLength(0);
    await world.advanceBeating(14_500);
    await world.deliver([early]);
    expect(world.outcomes).toEqual(['1.1 released CANCELLED']);
    await world.acknowledge();
    await world.advanceBeating(500);
    await world.deliver([assign(2, world.lastCredit)]);
    expect(world.started).toHaveLength(1);
  });

  test('in the same message as its assignment prevents the start', async () => {
    const world = new CoreWorld({ slots: 2 });
    const job = assign(1, await world.ready());
    await world.deliver([job], { cancels: [job] });
    expect(world.started).toEqual([]);
    expect(world.outcomes).toEqual(['1.1 released CANCELLED']);
  });

  test('after the end has no effect', async () => {
    const { world, job } = await busy();
    await world.end(job);
    await world.deliver([], { cancels: [job] });
    expect(world.outcomes.at(-1)).toBe('1.1 result');
    expect(world.stops).toEqual([]);
  });

  test('may come in a reply', async () => {
    const { world, job } = await busy();
    await world.time.advance(5_000);
    const notice = { $typeName: 'muster.worker.v1.CancelNotice' as const, jobId: job.jobId, attempt: 1 };
    await world.answerBeats({ cancels: [notice] });
    expect(world.stops).toHaveLength(1);
  });

  test('is kept in a bounded memory that drops the oldest first', () => {
    const cancels = new Cancels();
    for (let i = 0; i <= MAX_CANCELS; i++) cancels.remember(`job ${i}`, i / 100_000);
    expect(cancels.size).toBe(MAX_CANCELS);
    expect(cancels.has('job 0', 1)).toBe(false);
    expect(cancels.has('job 1', 1)).toBe(true);
  });
});

describe('a request to suspend', () => {
  const noticeOf = ({ jobId, attempt }: Assignment) => ({
    $typeName: 'muster.worker.v1.SuspendNotice' as const,
    jobId,
    attempt,
  });

  test('signals a running handler, and the attempt is reported as suspended when the handler gives up', async () => {
    const { world, job } = await busy();
    await world.deliver([], { suspends: [job] });
    await world.deliver([], { suspends: [job] });
    expect(world.stops).toEqual([{ slot: world.slotOf(job), reason: 'suspended' }]);
    await world.end(job, failure('AbortError'));
    expect(world.outcomes.at(-1)).toBe('1.1 suspended');
  });

  test('that arrives before its assignment is not remembered, since each heartbeat repeats it', async () => {
    const world = new CoreWorld({ slots: 1 });
    const job = assign(1, await world.ready());
    await world.deliver([], { suspends: [job] });
    await world.deliver([job]);
    expect(world.started).toEqual([job]);
    await world.time.advance(5_000);
    await world.answerBeats({ suspends: [noticeOf(job)] });
    expect(world.stops).toMatchObject([{ reason: 'suspended' }]);
  });

  test('after the end has no effect', async () => {
    const { world, job } = await busy();
    await world.end(job);
    await world.deliver([], { suspends: [job] });
    expect(world.outcomes.at(-1)).toBe('1.1 result');
    expect(world.stops).toEqual([]);
  });
});

describe('a prefetched attempt', () => {
  test('starts as soon as a slot is free, in order of arrival', async () => {
    const { world, job, prefetched } = await busy();
    const waiting = prefetched(2);
    await world.deliver([waiting]);
    expect(world.started.at(-1)).toBe(job);
    await world.end(job);
    expect(world.started.at(-1)).toBe(waiting);
  });

  test('is released when it has not started within 1 s', async () => {
    const { world, job, prefetched } = await busy();
    const waiting = prefetched(2);
    await world.deliver([waiting]);
    await world.time.advance(999);
    expect(world.outcomes).toEqual(['101.1 result']);
    await world.time.advance(1);
    expect(world.outcomes.at(-1)).toBe('2.1 released NOT_STARTED');
    await world.end(job);
    expect(world.started).not.toContain(waiting);
  });

  test('is not started after a pause of the process in which it waited too long', async () => {
    const { world, job, prefetched } = await busy();
    const waiting = prefetched(2);
    await world.deliver([waiting]);
    world.time.jump(1_000);
    await world.end(job);
    expect(world.started).not.toContain(waiting);
    expect(world.outcomes).toContain('2.1 released NOT_STARTED');
  });

  test('is listed in heartbeats as not started', async () => {
    const world = new CoreWorld({ slots: 1, beatInterval: 500 });
    const credit = await world.ready();
    const first = assign(1, credit);
    await world.deliver([first]);
    await world.end(first);
    await world.acknowledge();
    const next = world.lastCredit;
    await world.deliver([assign(2, next), assign(3, next, { prefetch: true })]);
    await world.time.advance(500);
    expect(world.lastBeat.request.heldAttempts.map(({ started }) => started)).toEqual([true, false]);
  });
});

describe('the run timeout', () => {
  const timed = async (runTimeoutMs = 2_000) => {
    const world = new CoreWorld({ slots: 1 });
    const credit = await world.ready();
    const job = assign(1, credit, { runTimeoutMs });
    await world.deliver([job]);
    return { world, job };
  };

  test('signals the handler, and the attempt has timed out whatever the handler returns', async () => {
    const { world, job } = await timed();
    await world.time.advance(1_999);
    expect(world.stops).toEqual([]);
    await world.time.advance(1);
    expect(world.stops).toEqual([{ slot: world.slotOf(job), reason: 'run_timeout' }]);
    expect(world.outcomes).toEqual([]);
    await world.end(job);
    expect(world.outcomes).toEqual(['1.1 failure RunTimeout']);
    expect(world.lastReport.request.reports[0]?.outcome.value).toMatchObject({ failureCause: 2, nonRetryable: false });
  });

  test('reports a handler that does not return 5 s later, and its slot stays taken', async () => {
    const { world, job } = await timed();
    await world.time.advance(6_999);
    expect(world.outcomes).toEqual([]);
    await world.time.advance(1);
    expect(world.outcomes).toEqual(['1.1 failure RunTimeout']);
    expect(world.lastReport.request.credits).toEqual([]);
    await world.acknowledge();
    await world.end(job);
    expect(world.outcomes).toEqual(['1.1 failure RunTimeout']);
  });

  test('releases an attempt that was never entered', async () => {
    const world = new CoreWorld({ slots: 1 });
    world.entersAtOnce = false;
    const credit = await world.ready();
    await world.deliver([assign(1, credit, { runTimeoutMs: 1_000 })]);
    await world.time.advance(1_000);
    expect(world.outcomes).toEqual(['1.1 released NOT_STARTED']);
  });

  test('of several weeks does not overflow a timer', async () => {
    const { world } = await timed(30 * 24 * 3_600_000);
    await world.advanceBeating(10_000);
    expect(world.stops).toEqual([]);
  });
});

describe('progress and checkpoints', () => {
  const words = (fraction: number) => progressMessage({ fraction, message: '' });
  const point = (text: string) => payload(new TextEncoder().encode(text), 'text/plain');

  test('are sent with a heartbeat within a second, newest first, and not repeated once that is answered', async () => {
    const { world, job } = await busy();
    const slot = world.slotOf(job);
    world.core.progress(slot, words(0.1));
    world.core.progress(slot, words(0.2));
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([
      { jobId: job.jobId, sequence: 2n, progress: { fraction: 0.2 } },
    ]);
    await world.answerBeats();
    await world.time.advance(5_000);
    expect(world.lastBeat.request.progress).toEqual([]);
    world.core.progress(slot, words(0.3));
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([{ sequence: 3n }]);
  });

  test('are sent again after a failed heartbeat, or when they changed during one', async () => {
    const { world, job } = await busy();
    const slot = world.slotOf(job);
    world.core.checkpoint(slot, point('a'));
    await world.time.advance(1_000);
    await world.lastBeat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([{ sequence: 1n, checkpoint: point('a') }]);
    world.core.progress(slot, words(0.5));
    await world.answerBeats();
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([{ sequence: 2n, checkpoint: point('a') }]);
  });

  test('that the server refuses are not sent again', async () => {
    const { world, job } = await busy();
    world.core.progress(world.slotOf(job), words(2));
    await world.time.advance(1_000);
    await world.lastBeat.fail(Code.INVALID_ARGUMENT);
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toEqual([]);
  });

  test('delay the report of a failure until the checkpoint was carried, but not of a success', async () => {
    const { world, job } = await busy();
    world.core.checkpoint(world.slotOf(job), point('half'));
    await world.end(job, failure());
    expect(world.outcomes).toEqual(['101.1 result']);
    await world.time.advance(60);
    expect(world.lastBeat.request.progress).toMatchObject([{ checkpoint: point('half') }]);
    expect(world.outcomes).toEqual(['101.1 result']);
    await world.answerBeats();
    expect(world.outcomes.at(-1)).toBe('1.1 failure Error');

    const next = assign(2, world.lastCredit);
    await world.acknowledge();
    await world.deliver([next]);
    world.core.checkpoint(world.slotOf(next), point('all'));
    await world.end(next);
    expect(world.outcomes.at(-1)).toBe('2.1 result');
  });

  test('delay the report of a handler that waits for children', async () => {
    const { world, job } = await busy();
    world.core.checkpoint(world.slotOf(job), point('half'));
    await world.end(job, { kind: 'suspended', childIds: [new Uint8Array(16)] });
    expect(world.outcomes).toEqual(['101.1 result']);
    await world.time.advance(60);
    await world.answerBeats();
    expect(world.outcomes.at(-1)).toBe('1.1 suspended');
  });

  test('are sent again after a failed heartbeat; after three, the report is sent without waiting', async () => {
    const { world, job } = await busy();
    world.core.checkpoint(world.slotOf(job), point('half'));
    await world.end(job, failure());
    await world.time.advance(60);
    for (const _ of ['first', 'second']) {
      await world.lastBeat.fail(Code.UNAVAILABLE);
      await world.time.advance(1_000);
      expect(world.lastBeat.request.progress).toMatchObject([{ checkpoint: point('half') }]);
      expect(world.outcomes).toEqual(['101.1 result']);
    }
    await world.lastBeat.fail(Code.UNAVAILABLE);
    expect(world.outcomes.at(-1)).toBe('1.1 failure Error');
  });

  test('that the server refuses do not delay the report', async () => {
    const { world, job } = await busy();
    world.core.checkpoint(world.slotOf(job), point('half'));
    await world.end(job, failure());
    await world.time.advance(60);
    await world.lastBeat.fail(Code.INVALID_ARGUMENT);
    expect(world.outcomes.at(-1)).toBe('1.1 failure Error');
  });

  test('that come after the end of the attempt are ignored', async () => {
    const { world, job } = await busy();
    const slot = world.slotOf(job);
    await world.end(job);
    world.core.progress(slot, words(1));
    await world.time.advance(5_000);
    expect(world.beats.flatMap(({ request }) => request.progress)).toEqual([]);
  });
});
