/** Waits for jobs to end: notified by this replica's flushes and other replicas' hints, and polls each second. */
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import { EngineError } from '../../base/errors.ts';
import { Loop, type LoopParts } from '../../loop.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Timers } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import { jobNotFound } from '../change/cancels.ts';

const POLL_EVERY_MS = 1_000;
const IDS_PER_POLL = 1_000;
const MAX_WAITS = 100_000;

export interface EndWaitersParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly store: Pick<Store, 'readJob' | 'findEnded'>;
}

export class EndWaiters {
  readonly #store: Pick<Store, 'readJob' | 'findEnded'>;
  readonly #timers: Timers;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #loop: Loop;

  constructor(parts: EndWaitersParts) {
    this.#store = parts.store;
    this.#timers = parts.timers;
    const isIdle = () => this.#waiting.size === 0;
    this.#loop = new Loop({ ...parts, name: 'ended jobs', everyMs: POLL_EVERY_MS, run: () => this.#probe(), isIdle });
  }

  /** Returns the job when it has ended, or in its current state after the timeout or when the caller has gone. */
  async wait(namespace: string, jobId: string, timeoutMs: number, gone: AbortSignal): Promise<JobView> {
    if (this.#waiting.size >= MAX_WAITS)
      throw new EngineError('OVERLOADED', 'too many callers wait for jobs already', { retryAfterMs: 1_000 });
    const woken = this.#register(jobId, timeoutMs, gone);
    const before = await this.#read(namespace, jobId).catch((error) => {
      woken.leave();
      throw error;
    });
    if (isTerminal(before.state)) {
      woken.leave();
      return before;
    }
    await woken.promise;
    return this.#read(namespace, jobId);
  }

  /** These jobs have ended. */
  notify(jobIds: readonly string[]): void {
    if (this.#waiting.size === 0) return;
    for (const jobId of jobIds) for (const wake of [...(this.#waiting.get(jobId) ?? [])]) wake();
  }

  /** Ends all waits. */
  stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.notify([...this.#waiting.keys()]);
    return stopped;
  }

  /** Registers before the first read, so that an end between the two is not missed. */
  #register(jobId: string, timeoutMs: number, gone: AbortSignal): { promise: Promise<void>; leave: () => void } {
    let leave = () => {};
    const promise = new Promise<void>((resolve) => {
      const wakes = this.#waiting.get(jobId) ?? new Set();
      const timer = this.#timers.after(timeoutMs, () => leave());
      leave = () => {
        timer.cancel();
        gone.removeEventListener('abort', leave);
        wakes.delete(leave);
        // It may be called again after a new set was registered for the same job, which it must not delete.
        if (wakes.size === 0 && this.#waiting.get(jobId) === wakes) this.#waiting.delete(jobId);
        resolve();
      };
      wakes.add(leave);
      this.#waiting.set(jobId, wakes);
      gone.addEventListener('abort', leave);
    });
    if (this.#loop.isStopped || gone.aborted) leave();
    else this.#loop.start(POLL_EVERY_MS);
    return { promise, leave };
  }

  async #read(namespace: string, jobId: string): Promise<JobView> {
    const job = await this.#store.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    return job;
  }

  /** Hints can be lost, so only the polls guarantee that an end is noticed. */
  async #probe(): Promise<void> {
    const ids = [...this.#waiting.keys()];
    for (let at = 0; at < ids.length; at += IDS_PER_POLL)
      this.notify(await this.#store.findEnded(ids.slice(at, at + IDS_PER_POLL)));
  }
}
