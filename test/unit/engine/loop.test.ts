/** The loop of periodic parts: its intervals and phases, hints, failures, and its end. */
import { describe, expect, it } from 'vitest';
import { Loop, type LoopParts } from '../../../server/engine/loop.ts';
import type { Random } from '../../../server/engine/ports/ports.ts';
import { constantRandom, settle, VirtualTime } from './base/virtual-time.ts';

const START_MS = 1_000;
const EVERY_MS = 1_000;

/** A loop whose rounds take `tookMs`, and answer what the test says. */
function loopOf(options: Partial<LoopParts> & { tookMs?: number; time?: VirtualTime } = {}) {
  const { tookMs = 0, time = new VirtualTime(), ...parts } = options;
  const begun: number[] = [];
  const logged: string[] = [];
  const answers: (number | undefined | Error)[] = [];
  let open = 0;
  let maxOpen = 0;
  const run = async () => {
    begun.push(time.now() - START_MS);
    maxOpen = Math.max(maxOpen, ++open);
    if (tookMs > 0) await new Promise<void>((resolve) => time.after(tookMs, resolve));
    open--;
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const warn = (facts: object, message: string) => void logged.push(`${message}: ${JSON.stringify(facts)}`);
  const loop = new Loop({
    ...{ name: 'the test', everyMs: EVERY_MS, run, timers: time, random: constantRandom(0.5) },
    log: { info() {}, error() {}, warn },
    ...parts,
  });
  return { loop, time, begun, logged, answers, maxOpen: () => maxOpen };
}

/** A random source with different values, the same for the same seed. */
function drawnFrom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return { next, bytes16: () => new Uint8Array(16) };
}

describe('a loop', () => {
  it('waits its interval from the end of a round to the beginning of the next one', async () => {
    const { loop, time, begun } = loopOf({ tookMs: 300 });
    loop.start();
    await time.advance(4_000);
    expect(begun).toEqual([500, 1_800, 3_100]);
  });

  it('does nothing before it is started, and a second start has no effect', async () => {
    const { loop, time, begun } = loopOf();
    await time.advance(5_000);
    expect([begun, time.pending]).toEqual([[], 0]);
    loop.start();
    loop.start();
    await time.advance(600);
    loop.start(0);
    expect([begun.length, time.pending]).toEqual([1, 1]);
  });

  it('begins its first round within its interval, or when the caller says', async () => {
    for (const value of [0, 0.25, 0.999]) {
      const { loop, time, begun } = loopOf({ random: constantRandom(value) });
      loop.start();
      await time.advance(EVERY_MS);
      expect(begun[0]).toBe(value * EVERY_MS);
    }
    const { loop, time, begun } = loopOf();
    loop.start(0);
    await time.advance(1);
    expect(begun).toEqual([0]);
  });

  it('varies its interval by at most a tenth', async () => {
    const { loop, time, begun } = loopOf({ random: drawnFrom(7) });
    loop.start();
    await time.advance(200 * EVERY_MS);
    const gaps = begun.slice(1).map((at, i) => at - (begun[i] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.9 * EVERY_MS);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * EVERY_MS);
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(50);
  });

  it('runs its next round after the delay that a round returns, and at once for 0', async () => {
    const { loop, time, begun, answers } = loopOf();
    answers.push(250, 0, 0, 5_000, undefined);
    loop.start();
    await time.advance(8_000);
    expect(begun).toEqual([500, 750, 750, 750, 5_750, 6_750, 7_750]);
  });

  it('repeats its schedule with the same random numbers', async () => {
    const runs = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const { loop, time, begun } = loopOf({ random: drawnFrom(seed) });
        loop.start();
        await time.advance(20_000);
        return begun.join();
      }),
    );
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
  });
});

describe('loops with the same interval', () => {
  it('have different phases', async () => {
    const time = new VirtualTime();
    const random = drawnFrom(11);
    const loops = Array.from({ length: 8 }, () => loopOf({ time, random }));
    for (const { loop } of loops) loop.start();
    await time.advance(EVERY_MS);
    const firsts = loops.map(({ begun }) => Math.round(begun[0] as number));
    expect(new Set(firsts).size).toBe(8);
    expect(Math.max(...firsts) - Math.min(...firsts)).toBeGreaterThan(EVERY_MS / 2);
  });
});

describe('a hint', () => {
  it('runs a round at once, and the interval counts from there', async () => {
    const { loop, time, begun } = loopOf();
    loop.start();
    await time.advance(600);
    loop.wake();
    await time.advance(1_400);
    expect(begun).toEqual([500, 600, 1_600]);
  });

  it('works without a start', async () => {
    const { loop, time, begun } = loopOf();
    loop.wake();
    await settle();
    expect([begun, time.pending]).toEqual([[0], 1]);
  });

  it('during a round leads to exactly one more, and two rounds never run together', async () => {
    const { loop, time, begun, maxOpen } = loopOf({ tookMs: 100 });
    loop.start(0);
    await time.advance(50);
    for (let i = 0; i < 5; i++) loop.wake();
    await time.advance(100);
    for (let i = 0; i < 5; i++) loop.wake();
    await time.advance(900);
    expect(begun).toEqual([0, 100, 200]);
    expect(maxOpen()).toBe(1);
  });

  it('that a round gives to its own loop leads to one more', async () => {
    const begun: number[] = [];
    const { loop, time, maxOpen } = loopOf({
      run: async () => {
        if (begun.push(time.now()) === 1) loop.wake();
      },
    });
    loop.start(0);
    await time.advance(500);
    expect([begun.length, maxOpen()]).toEqual([2, 0]);
  });

  it('may give a time: the first hint counts, and a sooner round satisfies it', async () => {
    const { loop, time, begun } = loopOf();
    loop.start(0);
    await time.advance(100);
    loop.wake(250);
    await time.advance(100);
    loop.wake(250);
    await time.advance(200);
    expect(begun).toEqual([0, 350]);
    await time.advance(900);
    loop.wake(250);
    await time.advance(900);
    expect(begun).toEqual([0, 350, 1_350]);
    expect(time.pending).toBe(1);
  });
});

describe('runOnce', () => {
  it('resolves at the end of a round that began after the call', async () => {
    const { loop, time, begun } = loopOf({ tookMs: 100 });
    const ends: number[] = [];
    const runOnce = () => void loop.runOnce().then(() => ends.push(time.now() - START_MS));
    runOnce();
    await time.advance(50);
    runOnce();
    runOnce();
    await time.advance(500);
    expect([begun, ends]).toEqual([
      [0, 100],
      [100, 200, 200],
    ]);
  });

  it('resolves after a round that failed', async () => {
    const { loop, answers } = loopOf();
    answers.push(new Error('gone'));
    await expect(loop.runOnce()).resolves.toBeUndefined();
  });
});

describe('a round that fails', () => {
  it('is logged, and the next one comes after the interval', async () => {
    const { loop, time, begun, logged, answers } = loopOf();
    answers.push(new Error('gone'), new Error('gone'));
    loop.start(0);
    await time.advance(2_500);
    expect(begun).toEqual([0, 1_000, 2_000]);
    const message = 'could not look after the test; the next round tries again: {"error":"Error: gone"}';
    expect(logged).toEqual([message, message]);
  });

  it('synchronously is handled like any other failure', async () => {
    let rounds = 0;
    const { loop, time, logged } = loopOf({
      run: () => {
        rounds++;
        throw new Error('at once');
      },
    });
    loop.start(0);
    await time.advance(1_500);
    expect([rounds, logged.length]).toEqual([2, 2]);
  });

  it('does not lose a hint that came during it', async () => {
    const { loop, time, begun, answers } = loopOf({ tookMs: 100 });
    answers.push(new Error('gone'));
    loop.start(0);
    await time.advance(50);
    loop.wake();
    await time.advance(100);
    expect(begun).toEqual([0, 100]);
  });
});

describe('an idle loop', () => {
  it('schedules nothing until it is started again or gets a hint', async () => {
    let isIdle = true;
    const { loop, time, begun, answers } = loopOf({ isIdle: () => isIdle });
    answers.push(0, 0);
    loop.start(0);
    await time.advance(5_000);
    expect([begun, time.pending]).toEqual([[0], 0]);
    loop.wake();
    await settle();
    expect([begun, time.pending]).toEqual([[0, 5_000], 0]);
    isIdle = false;
    loop.start(EVERY_MS);
    await time.advance(2_500);
    expect(begun).toEqual([0, 5_000, 6_000, 7_000]);
  });

  it('that gets work before its round is over continues', async () => {
    let isIdle = false;
    const { loop, time, begun } = loopOf({ isIdle: () => isIdle, tookMs: 100 });
    loop.start(0);
    await time.advance(50);
    isIdle = true;
    loop.start(EVERY_MS);
    isIdle = false;
    await time.advance(1_100);
    expect(begun).toEqual([0, 1_100]);
  });
});

describe('a stop', () => {
  it('waits for the current round', async () => {
    const { loop, time } = loopOf({ tookMs: 100 });
    loop.start(0);
    await time.advance(50);
    let isStopped = false;
    void loop.stop().then(() => {
      isStopped = true;
    });
    await settle();
    expect([isStopped, loop.isStopped, loop.isRunning]).toEqual([false, true, true]);
    await time.advance(50);
    expect([isStopped, loop.isRunning]).toEqual([true, false]);
  });

  it('prevents any later round, whether hinted, scheduled or requested', async () => {
    const { loop, time, begun, answers } = loopOf({ tookMs: 100 });
    answers.push(0);
    loop.start(0);
    await time.advance(50);
    loop.wake();
    loop.wake(200);
    const stopped = loop.stop();
    await time.advance(100);
    await stopped;
    loop.start(0);
    loop.wake();
    loop.wake(10);
    await loop.runOnce();
    await time.advance(10_000);
    expect([begun, time.pending]).toEqual([[0], 0]);
  });

  it('resolves at once when no round is running', async () => {
    const { loop, time } = loopOf();
    loop.start();
    await loop.stop();
    expect(time.pending).toBe(0);
  });
});
