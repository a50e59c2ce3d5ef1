/** What the bench has to know of a peer. */
import type { Command } from './process.ts';

/** Where the jobs are kept. `redis-always`: with an fsync before each acknowledgement, as PostgreSQL does. */
export type Store = 'postgres' | 'redis' | 'redis-always';

export interface Peer {
  readonly name: string;
  readonly store: Store;
  /** Which floor of Muster's it counts for: the fastest of these is to be beaten. */
  readonly floor?: true;
  readonly command: Command;
  /** Whether a control plane stands between the store and the peer's processes: its address is their URL then. */
  readonly controlPlane?: true;
  /** Who talks to whom. */
  readonly path: string;
  /** Its settings, and whose advice they are. */
  readonly setup: string;
  /** What it promises about a job that it has acknowledged. */
  readonly durability: string;
  /** What it promises about how often a job runs and ends. */
  readonly delivery: string;
  /** What it keeps of a job that has ended. */
  readonly keeps: string;
  /** When a worker that died is found out, by its documents. */
  readonly detection: string;
  /** Why a running handler can't be stopped from another process. Left out: it can. */
  readonly noCancel?: string;
  /** Why it can't run here; undefined: it can. */
  missing(): string | undefined;
}
