/** The engine's clock, timers and randomness, from the machine. */
import { randomBytes } from 'node:crypto';
import type { Clock, Random, Timers } from './engine/ports/ports.ts';

export const systemClock: Clock = { now: () => performance.now() };

export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    return { cancel: () => clearTimeout(timer) };
  },
};

const POOL_BYTES = 8192;

/** Random bytes are drawn in blocks: a system call per job id would cost more than everything else about it. */
function pooledBytes(): () => Uint8Array {
  let pool = randomBytes(POOL_BYTES);
  let at = 0;
  return () => {
    if (at + 16 > pool.length) {
      pool = randomBytes(POOL_BYTES);
      at = 0;
    }
    at += 16;
    return pool.subarray(at - 16, at);
  };
}

const bytes16 = pooledBytes();

export const systemRandom: Random = { next: Math.random, bytes16 };
