/** Limits: how many jobs workers may hold at once, and how many attempts may be assigned per period. */

/** Any interval of t ms sees at most `burst + units * t / periodMs` units. */
export interface RateLimit {
  readonly units: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** Codes as stored in SQL: why a job can be found by the key of its limit. */
export const limitMarks = {
  /** Deferred for lack of capacity; usually cleared once the job is assigned. */
  DEFERRED: 1,
  /** Counted by a policy while the job is open. */
  COUNTED: 2,
} as const;

export type LimitMark = keyof typeof limitMarks;

export type LimitPolicy = 'WAIT' | 'REJECT_NEW' | 'CANCEL_OLDEST' | 'REPLACE_WAITING';

/** Limits per value of a key. */
export interface KeyLimit {
  /** Empty: all jobs share one key. */
  readonly key: string;
  /** Left out: no limit. */
  readonly maxConcurrency?: number;
  readonly policy: LimitPolicy;
  readonly rateLimit?: RateLimit;
}

/** A definition's limits, for the jobs of all its versions. */
export interface DefinitionLimits {
  readonly maxConcurrency?: number;
  readonly rateLimit?: RateLimit;
  /** Rate limit units per attempt. Left out: 1. */
  readonly rateCost?: number;
  readonly keyLimit?: Partial<Omit<KeyLimit, 'key'>>;
}

/** State of one limit, or of one key of it. A bound that is left out is no bound. */
export interface Capacity {
  readonly maxConcurrency?: number | undefined;
  /** Jobs that workers hold. */
  readonly held: number;
  readonly rateLimit?: RateLimit | undefined;
  /** When the full burst is available again, in microseconds; null: now. */
  readonly fullTimeUs: number | null;
}

/** Attempts that may begin now and, if only time is in the way of one more, when that one may. */
export interface Headroom {
  readonly jobs: number;
  readonly openTimeUs?: number | undefined;
}

/** Microseconds until one unit is refilled. */
function unitUs({ units, periodMs }: RateLimit): number {
  return (periodMs * 1000) / units;
}

/** Units available now. */
export function unitsLeft(limit: RateLimit, fullTimeUs: number | null, nowUs: number): number {
  const owed = Math.max(0, (fullTimeUs ?? nowUs) - nowUs);
  // Owed time is rounded up to whole microseconds (see `timeOfUnits`), so a unit counts once it is refilled to a
  // thousandth.
  return Math.max(0, Math.min(limit.burst, Math.floor(limit.burst - owed / unitUs(limit) + 0.001)));
}

/**
 * By how many microseconds taking `units` delays the time of the full burst; the delay counts from that time or from
 * now, whichever is later.
 */
export function timeOfUnits(limit: RateLimit, units: number): number {
  return Math.ceil(units * unitUs(limit));
}

/** `cost`: units per attempt. */
export function headroomOf(capacity: Capacity, cost: number, nowUs: number): Headroom {
  const { maxConcurrency, held, rateLimit, fullTimeUs } = capacity;
  const places = maxConcurrency === undefined ? Number.POSITIVE_INFINITY : Math.max(0, maxConcurrency - held);
  if (!rateLimit) return { jobs: places };
  // An attempt that costs more than the burst starts once the burst is full; the next one waits longer in turn.
  const needed = Math.min(cost, rateLimit.burst);
  const starts = Math.floor(unitsLeft(rateLimit, fullTimeUs, nowUs) / needed);
  if (starts >= places) return { jobs: places };
  const missing = (starts + 1) * needed - rateLimit.burst;
  // Doubles of this size are exact to a quarter of a microsecond.
  const openTimeUs = Math.ceil((fullTimeUs ?? nowUs) + missing * unitUs(rateLimit)) + 1;
  return { jobs: starts, openTimeUs: Math.max(nowUs + 1, openTimeUs) };
}

/** The headroom under all limits. It opens when the last of the limits that block one more attempt opens. */
export function lowestHeadroom(headrooms: readonly Headroom[]): Headroom {
  const jobs = Math.min(...headrooms.map((headroom) => headroom.jobs), Number.POSITIVE_INFINITY);
  const tightest = headrooms.filter((headroom) => headroom.jobs === jobs);
  const isTime = tightest.length > 0 && tightest.every((headroom) => headroom.openTimeUs !== undefined);
  return isTime
    ? { jobs, openTimeUs: Math.max(...tightest.map((headroom) => headroom.openTimeUs as number)) }
    : { jobs };
}

export interface Candidate {
  readonly jobId: string;
  /** Undefined: no key limit applies. */
  readonly limitId: string | undefined;
  readonly bytes: number;
}

export interface Admission {
  /** In the order of the candidates. */
  readonly admitted: readonly string[];
  /** Candidates whose keys have no capacity. */
  readonly over: readonly string[];
}

/**
 * Selects which candidates, in their order, may be assigned: at most `most`, per key at most its headroom, and at most
 * `maxBytes` bytes, which the first one alone may exceed.
 */
export function admit(
  candidates: readonly Candidate[],
  headroomByKey: ReadonlyMap<string, Headroom>,
  most: number,
  maxBytes: number,
): Admission {
  const taken = new Map<string, number>();
  const admitted: string[] = [];
  const over: string[] = [];
  let bytes = 0;
  for (const { jobId, limitId, bytes: size } of candidates) {
    const headroom = limitId === undefined ? undefined : headroomByKey.get(limitId);
    const used = limitId === undefined ? 0 : (taken.get(limitId) ?? 0);
    if (headroom && used >= headroom.jobs) over.push(jobId);
    else if (admitted.length < most && (admitted.length === 0 || bytes + size <= maxBytes)) {
      admitted.push(jobId);
      bytes += size;
      if (limitId !== undefined) taken.set(limitId, used + 1);
    }
  }
  return { admitted, over };
}
