/** Compares how often the jobs of two versions fail. */

/** Ended jobs. */
export interface EndedCounts {
  readonly ended: number;
  readonly failed: number;
}

/** Rates are quotients: without it 4/10 would exceed 3/10 by more than 0.1. */
const ROUNDING = 1e-9;

export function failureRate({ ended, failed }: EndedCounts): number {
  return ended === 0 ? 0 : failed / ended;
}

export function failsTooOften(counts: EndedCounts, base: EndedCounts, maxIncrease: number): boolean {
  return failureRate(counts) > failureRate(base) + maxIncrease + ROUNDING;
}

/** The counts if all jobs failed that are tried again. */
export function withRetries({ ended, failed }: EndedCounts, retrying: number): EndedCounts {
  return { ended: ended + retrying, failed: failed + retrying };
}

/** With one decimal at most, such as `7.1 %`. */
export function rateText(rate: number): string {
  return `${Math.round(rate * 1_000) / 10} %`;
}
