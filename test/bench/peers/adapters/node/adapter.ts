/** The interface of a peer of the Node runtime. The host makes it a producer or a worker process. */
import type { OpenJobs, Work } from '../../contract.ts';

/** Runs a job; `signal` is aborted when the job is to stop. */
export type Handler = (work: Work, signal: AbortSignal | undefined) => Promise<void> | undefined;

export interface Producer {
  /** Stores the jobs in one call. Returns their ids. */
  submitMany(queue: string, jobs: readonly Work[]): Promise<readonly string[]>;
  /** Asks a running job to stop. Left out: the peer can not do so from another process. */
  cancel?(queue: string, job: string): Promise<void>;
  open(queues: readonly string[]): Promise<OpenJobs>;
}

export interface Adapter {
  /** Creates the peer's store before anything else runs. Left out: there is nothing to create. */
  prepare?(url: string, queues: readonly string[]): Promise<void>;
  producer(url: string, queues: readonly string[]): Promise<Producer>;
  /** Resolves once the worker takes jobs, with a function that stops it gracefully. Each queue has slots of its own. */
  worker(url: string, queues: readonly string[], handler: Handler): Promise<() => Promise<unknown>>;
}
