/** Watches of jobs: notified by this replica's changes and other replicas' hints, and polls revisions. */
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import { EngineError } from '../../base/errors.ts';
import { WakeUp } from '../../events/wake-up.ts';
import { Loop, type LoopParts } from '../../loop.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';
import { jobNotFound } from '../change/cancels.ts';
import type { JobReads } from './job-reads.ts';

/**
 * Other replicas' changes, and starts and progress here, are found by polling: many jobs per poll, never one at a time.
 */
const POLL_EVERY_MS = 200;
const IDS_PER_POLL = 1_000;
const MAX_WATCHERS = 10_000;

/** One stream: the newest revision it has sent, and whether it must read again. */
class Watcher extends WakeUp {
  revision = 0;
}

export interface WatchesParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly reads: Pick<JobReads, 'readJob'>;
  readonly store: Pick<Store, 'readRevisions'>;
}

export class Watches {
  readonly #parts: WatchesParts;
  readonly #watched = new Map<string, Set<Watcher>>();
  #count = 0;
  readonly #loop: Loop;

  constructor(parts: WatchesParts) {
    this.#parts = parts;
    const isIdle = () => this.isIdle;
    this.#loop = new Loop({ ...parts, name: 'changed jobs', everyMs: POLL_EVERY_MS, run: () => this.#probe(), isIdle });
  }

  /** Whether there are no watches. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /**
   * The job in its current state, then after each rise of its revision, until it has ended or `gone` is aborted. A slow
   * reader misses revisions in between, never the last one.
   *
   * Throws JOB_NOT_FOUND, also when the job is deleted meanwhile, OVERLOADED, and SHUTTING_DOWN when this replica
   * stops.
   */
  async *watch(namespace: string, jobId: string, gone: AbortSignal): AsyncGenerator<JobView, void> {
    if (this.#count >= MAX_WATCHERS)
      throw new EngineError('OVERLOADED', `more than ${MAX_WATCHERS} callers watch jobs here already; try again`, {
        retryAfterMs: 1_000,
      });
    // Registered before the first read, so that a change between the two is not missed.
    const watcher = this.#enter(jobId);
    gone.addEventListener('abort', watcher.wake);
    try {
      while (!gone.aborted) {
        if (this.#loop.isStopped)
          throw new EngineError('SHUTTING_DOWN', 'this replica is shutting down; watch the job again');
        const job = await this.#parts.reads.readJob(namespace, jobId);
        if (!job) throw jobNotFound(namespace, jobId);
        if (job.revision > watcher.revision) {
          watcher.revision = job.revision;
          yield job;
        }
        if (isTerminal(job.state)) return;
        await watcher.woken();
      }
    } finally {
      gone.removeEventListener('abort', watcher.wake);
      this.#leave(jobId, watcher);
    }
  }

  /** These jobs have changed. */
  notify(jobIds: readonly string[]): void {
    if (this.isIdle) return;
    for (const jobId of jobIds) for (const { wake } of this.#watched.get(jobId) ?? []) wake();
  }

  /** Ends every watch with SHUTTING_DOWN. */
  stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.notify([...this.#watched.keys()]);
    return stopped;
  }

  #enter(jobId: string): Watcher {
    const watcher = new Watcher();
    const watchers = this.#watched.get(jobId) ?? new Set();
    this.#watched.set(jobId, watchers.add(watcher));
    this.#count++;
    this.#loop.start(POLL_EVERY_MS);
    return watcher;
  }

  #leave(jobId: string, watcher: Watcher): void {
    const watchers = this.#watched.get(jobId);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watched.delete(jobId);
    this.#count--;
  }

  async #probe(): Promise<void> {
    const ids = [...this.#watched.keys()];
    for (let at = 0; at < ids.length; at += IDS_PER_POLL) {
      const asked = ids.slice(at, at + IDS_PER_POLL);
      const revisions = await this.#parts.store.readRevisions(asked);
      for (const [i, jobId] of asked.entries()) {
        // A missing job is read again, too: then its watchers get JOB_NOT_FOUND.
        const revision = revisions[i] ?? Infinity;
        for (const watcher of this.#watched.get(jobId) ?? []) if (revision > watcher.revision) watcher.wake();
      }
    }
  }
}
