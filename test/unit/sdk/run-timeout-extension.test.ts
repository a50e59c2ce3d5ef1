/** Handlers that extend their run timeout: when the signal moves, and when the server is notified. */
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import { progressMessage } from '../../../sdk/typescript/src/worker/progress.ts';
import { assign, CoreWorld } from './support/core-world.ts';

/** A session whose one slot runs job 1. */
async function timed(runTimeoutMs: number) {
  const world = new CoreWorld({ slots: 1 });
  const job = assign(1, await world.ready(), { runTimeoutMs });
  await world.deliver([job]);
  const slot = world.slotOf(job);
  const reported = () =>
    world.beats.flatMap(({ request }) => request.progress.map((update) => update.runTimeoutExtension?.seconds));
  return { world, job, slot, reported };
}

describe('an extension of the run timeout', () => {
  test('moves the signal by the sum of all requests', async () => {
    const { world, slot } = await timed(2_000);
    world.core.extendRunTimeout(slot, 3_000);
    world.core.extendRunTimeout(slot, 5_000);
    await world.advanceBeating(6_999);
    expect(world.stops).toEqual([]);
    await world.time.advance(1);
    expect(world.stops).toEqual([{ slot, reason: 'run_timeout' }]);
  });

  test('is sent with a heartbeat within a second, and with every later one of the attempt', async () => {
    const { world, slot, reported } = await timed(60_000);
    world.core.extendRunTimeout(slot, 30_000);
    await world.time.advance(999);
    expect(reported()).toEqual([]);
    await world.time.advance(1);
    expect(reported()).toEqual([30n]);
    await world.answerBeats();
    await world.time.advance(5_000);
    expect(reported()).toEqual([30n]);
    world.core.progress(slot, progressMessage({ fraction: 0.5, message: '' }));
    await world.time.advance(1_000);
    expect(reported()).toEqual([30n, 30n]);
  });

  test('causes an early heartbeat when a second would be too late', async () => {
    const { world, slot, reported } = await timed(1_000);
    await world.advanceBeating(900, 300);
    world.core.extendRunTimeout(slot, 10_000);
    await world.time.advance(100);
    expect(reported()).toEqual([10n]);
    expect(world.stops).toEqual([]);
  });

  test('is sent again after a failed heartbeat', async () => {
    const { world, slot, reported } = await timed(60_000);
    world.core.extendRunTimeout(slot, 30_000);
    await world.time.advance(1_000);
    await world.lastBeat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    expect(reported()).toEqual([30n, 30n]);
  });

  test('never shortens the time', async () => {
    const { world, slot, reported } = await timed(2_000);
    world.core.extendRunTimeout(slot, 3_000);
    world.core.extendRunTimeout(slot, 1_000);
    await world.advanceBeating(4_999);
    expect(world.stops).toEqual([]);
    expect(new Set(reported())).toEqual(new Set([3n]));
  });

  test('has no effect after the signal', async () => {
    const { world, job, slot, reported } = await timed(2_000);
    await world.advanceBeating(2_000);
    world.core.extendRunTimeout(slot, 60_000);
    await world.advanceBeating(5_000);
    expect(world.outcomes).toEqual(['1.1 failure RunTimeout']);
    expect(reported()).toEqual([]);
    await world.end(job);
  });

  test('of an attempt that is over is ignored', async () => {
    const { world, job, slot, reported } = await timed(2_000);
    await world.end(job);
    world.core.extendRunTimeout(slot, 60_000);
    await world.advanceBeating(2_000);
    expect(reported()).toEqual([]);
  });
});
