/** What a peer of the Node runtime has to offer; the host makes a producer's or a worker's process of it. */
import type { OpenJobs, Work } from '../../contract.ts';

/** Runs a job; `signal` is aborted when the job is to stop. */
export type Handler = (work: Work, signal: AbortSignal | undefined) => Promise<void> | undefined;

export interface Producer {
  /** Stores the jobs in one call, and answers their ids. */
  submitMany(queue: string, jobs: readonly Work[]): Promise<readonly string[]>;
  /** Asks a running job to stop. Left out: the peer has no way to do so from another process. */
  cancel?(queue: string, job: string): Promise<void>;
  open(queues: readonly string[]): Promise<OpenJobs>;
}

export interface Adapter {
  /** Makes what the peer keeps its jobs in, before anything else runs. Left out: there is nothing to make. */
  prepare?(url: string, queues: readonly string[]): Promise<void>;
  producer(url: string, queues: readonly string[]): Promise<Producer>;
  /** Resolves once it takes jobs, with what stops it in good order. Each queue has slots of its own. */
  worker(url: string, queues: readonly string[], handler: Handler): Promise<() => Promise<unknown>>;
}
