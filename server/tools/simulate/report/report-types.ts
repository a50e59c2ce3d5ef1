/** The report of a run. Times in ms. */

/** What kept a job waiting: the first of these that applied at the time. */
export const causes = ['key', 'definition', 'queue', 'workers', 'rate', 'other'] as const;

/**
 * The limit of its key, of its definition or of its queue; no free slot; a rate; anything else, such as a circuit
 * breaker.
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
  /** Name of the queue, of the definition, or of both definition and key. */
  readonly name: string;
  readonly arrived: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Submissions that returned an existing job, by a rule of the definition. */
  readonly existing: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  /** Jobs that have not ended, because nothing would ever have let them continue. */
  readonly open: number;
  readonly attempts: number;
  /** Time in READY, over all attempts, of started jobs. Absent: none was started. */
  readonly wait?: Spread;
  readonly run?: Spread;
  readonly longestQueue: number;
  readonly mostAtOnce: number;
  /** Time that its jobs waited, by cause. For a key: its limit, or `other` for everything else. */
  readonly heldBackMs: HeldBack;
}

export interface WorkerReport {
  readonly name: string;
  readonly slots: number;
  readonly attempts: number;
  /** Used share of its slots, from 0 to 1. */
  readonly utilisation: number;
}

/** Values over time: means over steps of equal length. */
export interface Series {
  readonly stepMs: number;
  /** Waiting jobs by queue. */
  readonly waiting: Readonly<Record<string, readonly number[]>>;
  /** Used slots. */
  readonly busy: readonly number[];
}

export interface SimulationReport {
  readonly spanMs: number;
  readonly all: GroupReport;
  readonly queues: readonly GroupReport[];
  readonly definitions: readonly GroupReport[];
  /** The keys whose jobs waited longest. */
  readonly keys: readonly GroupReport[];
  /** Number of all keys. */
  readonly keyCount: number;
  readonly workers: readonly WorkerReport[];
  readonly slots: number;
  readonly series: Series;
}
