/** Reads jobs for callers, in groups: hundreds of waits may end with one flush. */
import { Batcher } from '../../base/batcher.ts';
import type { JobName, JobView } from '../../ports/jobs.ts';
import type { Random, Timers } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';

/** Bounds a reply to 100 inputs and results, and the delay of heartbeats in the embedded database's queue. */
const JOBS_PER_READ = 100;

export class JobReads {
  readonly #batcher: Batcher<JobName, JobView | undefined>;

  constructor(parts: { store: Pick<Store, 'readJobs'>; timers: Timers; random: Random }) {
    const { store, timers, random } = parts;
    this.#batcher = new Batcher({
      name: 'reads of jobs',
      flush: (names) => store.readJobs(names),
      maxRows: JOBS_PER_READ,
      timers,
      random,
    });
  }

  readJob(namespace: string, jobId: string): Promise<JobView | undefined> {
    return this.#batcher.add({ namespace, jobId });
  }
}
