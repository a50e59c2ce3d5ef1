/** What is told of a run. Times in ms. */

/** What kept a job waiting: the first of these that held at the time. */
export const causes = ['key', 'definition', 'queue', 'workers', 'rate', 'other'] as const;

/**
 * The limit of its key, of its definition or of its queue; no slot free; a rate; anything else, such as a circuit breaker.
 */
export type Cause = (typeof causes)[number];

export type HeldBack = Readonly<Record<Cause, number>>;

/** Percentiles by nearest rank. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface GroupReport {
  /** Of the queue, of the definition, or of both definition and key. */
  readonly name: string;
  readonly arrived: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** The same as a job that was there, by a rule of the definition. */
  readonly existing: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  /** They have not ended: nothing would ever have let them go on. */
  readonly open: number;
  readonly attempts: number;
  /** Time ready, over all attempts, of the jobs that were started. Absent: none was. */
  readonly wait?: Spread;
  readonly run?: Spread;
  readonly longestQueue: number;
  readonly mostAtOnce: number;
  /** Time that its jobs waited, by what held them back. Of a key: by its limit, or `other` for all else. */
  readonly heldBackMs: HeldBack;
}

export interface WorkerReport {
  readonly name: string;
  readonly slots: number;
  readonly attempts: number;
  /** Part of its slots that was taken, from 0 to 1. */
  readonly utilisation: number;
}

/** As it changed: means over steps of the same length. */
export interface Series {
  readonly stepMs: number;
  /** Jobs that waited, by queue. */
  readonly waiting: Readonly<Record<string, readonly number[]>>;
  /** Slots that were taken. */
  readonly busy: readonly number[];
}

export interface SimulationReport {
  readonly spanMs: number;
  readonly all: GroupReport;
  readonly queues: readonly GroupReport[];
  readonly definitions: readonly GroupReport[];
  /** Those whose jobs waited longest. */
  readonly keys: readonly GroupReport[];
  /** How many keys there are. */
  readonly keyCount: number;
  readonly workers: readonly WorkerReport[];
  readonly slots: number;
  readonly series: Series;
}
