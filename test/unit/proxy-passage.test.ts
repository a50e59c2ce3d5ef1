/** One direction of a proxied connection: bytes arrive in order, after their delay and at their rate. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Pace, Passage } from '../chaos/harness/network/passage.ts';

const MEGABYTE = 1 << 20;
let pace: Pace;
let arrived: { readonly at: number; readonly text: string }[];
let resumed: number;
let passage: Passage;
let startMs: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  startMs = performance.now();
  pace = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  arrived = [];
  resumed = 0;
  passage = new Passage({
    pace: () => pace,
    pass: (bytes) =>
      arrived.push({ at: Math.round(performance.now() - startMs), text: String(bytes.subarray(0, 9)) }) > 0,
    resume: () => resumed++,
  });
});

afterEach(() => {
  vi.useRealTimers();
});

it('bytes pass at once without a delay', () => {
  expect(passage.add(Buffer.from('a'))).toBe(true);
  expect(arrived).toEqual([{ at: 0, text: 'a' }]);
});

it('bytes arrive after the delay, and in order when the delay ends', () => {
  pace = { ...pace, delayMs: 60 };
  passage.add(Buffer.from('a'));
  vi.advanceTimersByTime(20);
  pace = { ...pace, delayMs: 0 };
  passage.add(Buffer.from('b'));
  expect(arrived).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(arrived).toEqual([
    { at: 60, text: 'a' },
    { at: 60, text: 'b' },
  ]);
});

it('bytes arrive at their rate, and the sender pauses while a megabyte is on its way', () => {
  pace = { ...pace, bytesPerSecond: MEGABYTE };
  expect(passage.add(Buffer.alloc(MEGABYTE / 2, 'a'))).toBe(true);
  expect(passage.add(Buffer.alloc(MEGABYTE / 2, 'b'))).toBe(false);
  expect(passage.isFull).toBe(true);
  vi.advanceTimersByTime(499);
  expect(arrived).toEqual([]);
  vi.advanceTimersByTime(600);
  expect(arrived.map(({ at }) => at)).toEqual([500, 1_000]);
  expect([passage.isFull, resumed]).toEqual([false, 1]);
});

it('nothing arrives after the end', () => {
  pace = { ...pace, delayMs: 60 };
  passage.add(Buffer.from('a'));
  passage.end();
  vi.advanceTimersByTime(1_000);
  expect(arrived).toEqual([]);
});

it('bytes of a closed passage arrive in order when it is opened', () => {
  passage.close();
  passage.add(Buffer.from('a'));
  vi.advanceTimersByTime(1_000);
  passage.add(Buffer.from('b'));
  expect([arrived.length, passage.waiting, passage.passed]).toEqual([0, 2, 0]);
  passage.open();
  expect(arrived.map(({ text }) => text)).toEqual(['a', 'b']);
  expect([passage.waiting, passage.passed]).toEqual([0, 2]);
});

it('a closed passage pauses the sender after a megabyte', () => {
  passage.close();
  expect(passage.add(Buffer.alloc(MEGABYTE, 'a'))).toBe(false);
  passage.open();
  expect([passage.isFull, resumed]).toEqual([false, 1]);
});
