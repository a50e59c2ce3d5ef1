/** Heartbeats after a failed one: soon, but never in a storm, and no sooner than the server asks. */
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import { assign, CoreWorld } from './support/core-world.ts';

/** Fails every heartbeat at once from now on. Returns when each was sent, counted from now. */
async function failAll(world: CoreWorld, ms: number, code: number, retryDelayMs?: number): Promise<number[]> {
  const start = world.time.now();
  const before = world.beats.length;
  for (let moved = 0; moved < ms; moved += 10) {
    for (const beat of world.beats) if (!beat.settled) await beat.fail(code, '', retryDelayMs);
    await world.time.advance(10);
  }
  return world.beats.slice(before).map(({ sentAt }) => sentAt - start);
}

/** A worker whose next heartbeat is pending, with all slots free. */
async function beating(random: () => number = () => 0): Promise<CoreWorld> {
  const world = new CoreWorld({ slots: 2, random });
  await world.ready();
  await world.time.advance(5_000);
  return world;
}

describe('the delay after a failed heartbeat', () => {
  test('doubles up to a second, though slots are free', async () => {
    const world = await beating();
    const sent = await failAll(world, 10_000, Code.UNAVAILABLE);
    const waits = sent.map((at, i) => at - (sent[i - 1] ?? 0));
    expect(waits.slice(1, 8)).toEqual([100, 200, 400, 500, 500, 500, 500]);
    expect(sent.length).toBeLessThan(25);
  });

  test('is random', async () => {
    const [low, high] = [await beating(() => 0), await beating(() => 0.99)];
    const [first, second] = [await failAll(low, 9_000, Code.UNAVAILABLE), await failAll(high, 9_000, Code.UNAVAILABLE)];
    expect(first.length).toBeGreaterThan(second.length * 1.5);
  });

  test('starts anew after an answer', async () => {
    const world = await beating();
    await failAll(world, 5_000, Code.UNAVAILABLE);
    await world.answerBeats();
    await world.advanceBeating(6_000);
    world.core.setSlots(3);
    await world.time.advance(100);
    const [first] = await failAll(world, 300, Code.UNAVAILABLE);
    expect(first).toBeLessThanOrEqual(100);
  });
});

describe.each([Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE])('the retry delay with code %i', (code) => {
  test('is kept, whatever else requests a heartbeat', async () => {
    const world = await beating();
    await world.lastBeat.fail(code, '', 3_000);
    const before = world.beats.length;
    await world.deliver([assign(1, world.lastCredit)]);
    world.core.setSlots(4);
    await world.time.advance(3_000);
    expect(world.beats).toHaveLength(before);
    await world.time.advance(100);
    expect(world.beats).toHaveLength(before + 1);
  });

  test('postpones a heartbeat that was requested before it', async () => {
    const world = await beating();
    world.core.setSlots(4);
    await world.lastBeat.fail(code, '', 2_000);
    const before = world.beats.length;
    await world.time.advance(2_000);
    expect(world.beats).toHaveLength(before);
  });

  test('is at most an interval, because heartbeats keep the lease', async () => {
    const world = await beating();
    const sent = await failAll(world, 19_000, code, 60_000);
    expect(sent).toEqual([5_000, 10_000, 15_000]);
  });

  test('does not delay the report of a bus connection', async () => {
    const world = await beating();
    await world.lastBeat.fail(code, '', 4_000);
    const before = world.beats.length;
    await world.connect(false);
    await world.time.advance(1_000);
    expect(world.beats).toHaveLength(before);
    await world.connect(true);
    expect(world.beats).toHaveLength(before + 1);
  });
});
