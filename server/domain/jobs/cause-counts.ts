/** Failed attempts of a job per cause, packed into one number with ten bits each. */
import type { RetryCause } from '../retries/retry-rules.ts';

const WIDTH = 1_024;
const places: Readonly<Record<RetryCause, number>> = {
  APPLICATION: 1,
  TIMEOUT: WIDTH,
  LOST_WORKER: WIDTH ** 2,
  INFRASTRUCTURE: WIDTH ** 3,
};

/** Up to 1,023. Computed by arithmetic, because bit operations in JavaScript are limited to 32 bits. */
export function countOf(packed: number, cause: RetryCause): number {
  return Math.floor(packed / places[cause]) % WIDTH;
}

/** A full count stays full: no limit is that high. */
export function withOneMore(packed: number, cause: RetryCause): number {
  return countOf(packed, cause) === WIDTH - 1 ? packed : packed + places[cause];
}
