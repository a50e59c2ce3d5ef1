/** When a job may start, by what was started lately: a range, as wide as the little that was counted makes it. */

export interface RecentStarts {
  readonly starts: number;
  /** Over how long they were counted. */
  readonly windowUs: number;
}

export interface Range {
  readonly earliestUs: number;
  /** Undefined: the place is only the least that it can be. */
  readonly latestUs: number | undefined;
}

/**
 * Of a job at `place` (1 is next) while starts go on as they did. What was counted stands for a rate that may be off by twice
 * the square root of it, as counts of chance events are; downwards by no more than three quarters. Undefined: none was.
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
