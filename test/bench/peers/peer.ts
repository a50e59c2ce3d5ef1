/** A peer as the benchmark knows it. */
import type { Command } from './process.ts';

/** Where the jobs are kept. `redis-always`: with an fsync before each acknowledgement, as PostgreSQL does. */
export type Store = 'postgres' | 'redis' | 'redis-always';

export interface Peer {
  readonly name: string;
  readonly store: Store;
  /** Counts for the floor of Muster's target: Muster must be faster than the fastest of these peers. */
  readonly floor?: true;
  readonly command: Command;
  /** Whether a control plane stands between the store and the peer's processes, which then connect to its address. */
  readonly controlPlane?: true;
  /** Which process connects to which. */
  readonly path: string;
  /** Its settings, and the source of their values. */
  readonly setup: string;
  /** What it promises about a job that it has acknowledged. */
  readonly durability: string;
  /** What it promises about how often a job runs and ends. */
  readonly delivery: string;
  /** What it keeps of a job that has ended. */
  readonly keeps: string;
  /** When a dead worker is detected, according to its documentation. */
  readonly detection: string;
  /** Why a running handler can't be stopped from another process. Left out: it can. */
  readonly noCancel?: string;
  /** Why it can't run here; undefined: it can. */
  missing(): string | undefined;
}
