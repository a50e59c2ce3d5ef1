/** What a definition says of the session that runs its jobs. */
import type { Amounts } from './resources.ts';

/** What jobs need of the session that runs them. */
export interface Demands {
  /** Labels that it has. */
  readonly labels: Readonly<Record<string, string>>;
  /** Amounts that an attempt takes of its resources. Left out: none. */
  readonly resources?: Amounts;
  /** Expression over its labels that is true. Left out: any will do. */
  readonly required?: string;
  /** Expression over its labels that is true of the better ones. Left out: all are alike. */
  readonly preferred?: string;
  /** What the next attempt takes of its memory after one that ran out of it. Left out: no more than before. */
  readonly memoryGrowth?: MemoryGrowth;
  /** The worker, by its name, that its jobs keep to. Left out: any. */
  readonly sticky?: StickyWorker;
}

export type StickyMode = 'SOFT' | 'HARD';

export interface StickyWorker {
  readonly worker: string;
  readonly mode: StickyMode;
}

/** Keeps a job to the worker of an earlier one. */
export interface StickyTo {
  readonly jobId: string;
  readonly mode: StickyMode;
}

export interface MemoryGrowth {
  readonly factor: number;
  /** In bytes. */
  readonly max: number;
}
