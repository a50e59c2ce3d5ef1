/** How many attempts of a job failed for each cause, packed in one number: ten bits each. */
import type { RetryCause } from '../retries/retry-rules.ts';

const WIDTH = 1_024;
const places: Readonly<Record<RetryCause, number>> = {
  APPLICATION: 1,
  TIMEOUT: WIDTH,
  LOST_WORKER: WIDTH ** 2,
  INFRASTRUCTURE: WIDTH ** 3,
};

/** Up to 1,023; by arithmetic, since bit operations of JavaScript end at 32 bits. */
export function countOf(packed: number, cause: RetryCause): number {
  return Math.floor(packed / places[cause]) % WIDTH;
}

/** A count that is full stays full: no limit is that high. */
export function withOneMore(packed: number, cause: RetryCause): number {
  return countOf(packed, cause) === WIDTH - 1 ? packed : packed + places[cause];
}
