/** How fast things end: ends per span of five seconds, kept for the last minute. */

const SPAN_US = 5_000_000;
const WINDOW_US = 60_000_000;

/** Number of the span and its ends; oldest first. */
export type EndRate = readonly (readonly [span: number, ends: number])[];

export const noEnds: EndRate = [];

function kept(rate: EndRate, nowUs: number): EndRate {
  return rate.filter(([span]) => span * SPAN_US > nowUs - WINDOW_US);
}

export function withEnds(rate: EndRate, ends: number, nowUs: number): EndRate {
  if (ends === 0) return rate;
  const current = Math.floor(nowUs / SPAN_US);
  const before = kept(rate, nowUs);
  const last = before.at(-1);
  // The clock goes back if the database moves to another machine: such ends count in the latest span.
  if (last && last[0] >= current) return [...before.slice(0, -1), [last[0], last[1] + ends]];
  return [...before, [current, ends]];
}

/** Ends per second over the last minute, or since the first end if that is more recent. */
export function rateOf(rate: EndRate, nowUs: number): number {
  const recent = kept(rate, nowUs);
  const [first] = recent;
  if (!first) return 0;
  const ends = recent.reduce((sum, [, count]) => sum + count, 0);
  // At least one span: a younger set may have ended all at once.
  const spanUs = Math.max(SPAN_US, nowUs - first[0] * SPAN_US);
  return (ends * 1_000_000) / spanUs;
}

/** Undefined if nothing has ended lately. */
export function estimatedEndUs(rate: EndRate, open: number, nowUs: number): number | undefined {
  const perSecond = rateOf(rate, nowUs);
  return perSecond === 0 ? undefined : Math.round(nowUs + (open / perSecond) * 1_000_000);
}
