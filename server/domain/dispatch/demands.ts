/** What a definition demands of the session that runs its jobs. */
import type { Amounts } from './resources.ts';

/** Requirements on the session that runs a job. */
export interface Demands {
  /** Labels that the session must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** Amounts of the session's resources that an attempt takes. Left out: none. */
  readonly resources?: Amounts;
  /** Expression over the session's labels that must be true. Left out: any session will do. */
  readonly required?: string;
  /** Expression over the session's labels that is true for preferred sessions. Left out: no preference. */
  readonly preferred?: string;
  /** By how much the next attempt's memory grows after one that ran out of it. Left out: it does not grow. */
  readonly memoryGrowth?: MemoryGrowth;
  /** The worker, by name, that the jobs stay with. Left out: any. */
  readonly sticky?: StickyWorker;
}

export type StickyMode = 'SOFT' | 'HARD';

export interface StickyWorker {
  readonly worker: string;
  readonly mode: StickyMode;
}

/** Keeps a job on the worker of an earlier job. */
export interface StickyTo {
  readonly jobId: string;
  readonly mode: StickyMode;
}

export interface MemoryGrowth {
  readonly factor: number;
  /** In bytes. */
  readonly max: number;
}
