/** When a job may start, estimated from recent starts. The fewer starts were counted, the wider the range. */

export interface RecentStarts {
  readonly starts: number;
  /** Length of the counting window. */
  readonly windowUs: number;
}

export interface Range {
  readonly earliestUs: number;
  /** Undefined: the position is only a lower bound. */
  readonly latestUs: number | undefined;
}

/**
 * Estimate for a job at position `place` (1 is next), if starts continue at the recent rate. The rate may be off by
 * twice the square root of the count, as for counts of random events; downwards by at most three quarters. Undefined:
 * no starts were counted.
 */
export function estimateStart(
  place: number,
  isLeast: boolean,
  { starts, windowUs }: RecentStarts,
  nowUs: number,
): Range | undefined {
  if (starts <= 0) return undefined;
  const spread = 2 * Math.sqrt(starts);
  const [most, least] = [starts + spread + 2, Math.max(starts - spread, starts / 4)];
  return {
    earliestUs: nowUs + Math.floor(((place - 1) * windowUs) / most),
    latestUs: isLeast ? undefined : nowUs + Math.ceil((place * windowUs) / least),
  };
}
