/** Readings are shared, spaced in time, and never waited for long. */
import { beforeEach, expect, it } from 'vitest';
import { Paced } from '../../../server/telemetry/metrics/paced.ts';
import { settle, VirtualTime } from '../engine/base/virtual-time.ts';

let time: VirtualTime;
let taken: number;
let warned: string[];

beforeEach(() => {
  time = new VirtualTime();
  taken = 0;
  warned = [];
});

function paced(tookMs: number, fails = () => false): Paced<number> {
  const take = async () => {
    const n = ++taken;
    if (tookMs > 0) await new Promise<void>((resolve) => void time.after(tookMs, resolve));
    if (fails()) throw new Error('gone');
    return n;
  };
  const log = { info: () => {}, warn: (_: unknown, message: string) => void warned.push(message), error: () => {} };
  return new Paced('it', take, { clock: time, timers: time, log });
}

it('a reading is shared by concurrent callers and by callers within a second', async () => {
  const reading = paced(0);
  expect(await Promise.all([reading.read(), reading.read()])).toEqual([1, 1]);
  await time.advance(999);
  expect(await reading.read()).toBe(1);
  await time.advance(1);
  expect(await reading.read()).toBe(2);
  expect(time.pending).toBe(0);
});

it('a slow reading leaves its callers the previous one, and lengthens the pause', async () => {
  let slow = 0;
  const reading = new Paced(
    'it',
    async () => {
      if (slow > 0) await new Promise<void>((resolve) => void time.after(slow, resolve));
      return ++taken;
    },
    { clock: time, timers: time, log: { info: () => {}, warn: () => {}, error: () => {} } },
  );
  expect(await reading.read()).toBe(1);
  await time.advance(1_000);
  slow = 5_000;
  const late = reading.read();
  await time.advance(1_000);
  expect(await late).toBe(1);
  await time.advance(4_000);
  await settle();
  expect(await reading.read()).toBe(2);
  await time.advance(94_000);
  expect(await reading.read()).toBe(2);
  expect(taken).toBe(2);
  slow = 0;
  await time.advance(1_000);
  expect(await reading.read()).toBe(3);
});

it('a failed reading gives no value, and is logged', async () => {
  let broken = true;
  const reading = paced(0, () => broken);
  expect(await reading.read()).toBeUndefined();
  expect(warned).toEqual(['could not read it for the metrics; the next reading tries again']);
  broken = false;
  await time.advance(1_000);
  expect(await reading.read()).toBe(2);
});
