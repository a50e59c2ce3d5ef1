/** Limits: how many jobs workers may hold at once, and how many attempts may be assigned in a time. */

/** Any stretch of t ms sees at most `burst + units * t / periodMs` units. */
export interface RateLimit {
  readonly units: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** Codes as stored in SQL: what a job is looked for by the key of its limit for. */
export const limitMarks = {
  /** It was set aside for want of room; mostly gone once it is assigned. */
  DEFERRED: 1,
  /** A policy counts it for as long as it is open. */
  COUNTED: 2,
} as const;

export type LimitMark = keyof typeof limitMarks;

export type LimitPolicy = 'WAIT' | 'REJECT_NEW' | 'CANCEL_OLDEST' | 'REPLACE_WAITING';

/** Limits for each value of a key. */
export interface KeyLimit {
  /** Empty: all jobs have the same. */
  readonly key: string;
  /** Left out: no limit. */
  readonly maxConcurrency?: number;
  readonly policy: LimitPolicy;
  readonly rateLimit?: RateLimit;
}

/** Of a definition, for the jobs of all its versions. */
export interface DefinitionLimits {
  readonly maxConcurrency?: number;
  readonly rateLimit?: RateLimit;
  /** Units that an attempt takes. Left out: 1. */
  readonly rateCost?: number;
  readonly keyLimit?: Partial<Omit<KeyLimit, 'key'>>;
}

/** What one limit, or one key, has to give; left out: as much as is wanted. */
export interface Capacity {
  readonly maxConcurrency?: number | undefined;
  /** Jobs that are held. */
  readonly held: number;
  readonly rateLimit?: RateLimit | undefined;
  /** When all units are there again, in microseconds; null: they are. */
  readonly fullTimeUs: number | null;
}

/** Attempts that may begin, and, where it is time that they wait for, when there is room for one more. */
export interface Headroom {
  readonly jobs: number;
  readonly openTimeUs?: number | undefined;
}

/** Microseconds in which one unit comes back. */
function unitUs({ units, periodMs }: RateLimit): number {
  return (periodMs * 1000) / units;
}

/** Units that may be taken. */
export function unitsLeft(limit: RateLimit, fullTimeUs: number | null, nowUs: number): number {
  const owed = Math.max(0, (fullTimeUs ?? nowUs) - nowUs);
  // What is owed is rounded up to whole microseconds, see `timeOfUnits`; a unit counts once it is there to a thousandth.
  return Math.max(0, Math.min(limit.burst, Math.floor(limit.burst - owed / unitUs(limit) + 0.001)));
}

/** By how many microseconds later all units are there again once `units` were taken: than that they would be, or than now. */
export function timeOfUnits(limit: RateLimit, units: number): number {
  return Math.ceil(units * unitUs(limit));
}

/** `cost` in units is an attempt's. */
export function headroomOf(capacity: Capacity, cost: number, nowUs: number): Headroom {
  const { maxConcurrency, held, rateLimit, fullTimeUs } = capacity;
  const places = maxConcurrency === undefined ? Number.POSITIVE_INFINITY : Math.max(0, maxConcurrency - held);
  if (!rateLimit) return { jobs: places };
  // An attempt dearer than the burst starts once all units are there, and the next one waits the longer.
  const needed = Math.min(cost, rateLimit.burst);
  const starts = Math.floor(unitsLeft(rateLimit, fullTimeUs, nowUs) / needed);
  if (starts >= places) return { jobs: places };
  const missing = (starts + 1) * needed - rateLimit.burst;
  // Numbers of this size are exact to a quarter of a microsecond.
  const openTimeUs = Math.ceil((fullTimeUs ?? nowUs) + missing * unitUs(rateLimit)) + 1;
  return { jobs: starts, openTimeUs: Math.max(nowUs + 1, openTimeUs) };
}

/** What all of them leave. It opens with the last of those that stand in the way of one more. */
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
  /** Undefined: no limit of a key holds it. */
  readonly limitId: string | undefined;
  readonly bytes: number;
}

export interface Admission {
  /** In the order of the candidates. */
  readonly admitted: readonly string[];
  /** Their keys have no room. */
  readonly over: readonly string[];
}

/**
 * Which of the candidates, in their order, may be assigned: `most` of them at the most, of each key as many as it has room
 * for, and no more bytes than `maxBytes`, but for the first.
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
