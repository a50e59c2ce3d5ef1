/**
 * Streams of what handlers log. The store is read for whoever follows a job, when this replica has stored records of it or
 * another one hints that it has: so order and gaps are the store's, and a hint that is lost, late or doubled changes nothing
 * but the time of a read.
 */
import { isTerminal } from '../../domain/jobs/job-state.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import { WakeUp } from '../events/wake-up.ts';
import type { Watches } from '../jobs/read/watches.ts';
import type { JobView } from '../ports/jobs.ts';
import type { KeptRecord, LogPosition, LogQuery } from '../ports/logs.ts';
import type { Bus, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

const MAX_WATCHERS = 1_000;
/** Of at most 8 KiB each: what a stream holds for a reader that is slow. */
const RECORDS_PER_READ = 100;
/** Untold, a stream looks after this time: a hint may be lost ... */
const POLL_MS = 2_000;
/** ... and while the bus is down none comes. */
const POLL_BUS_DOWN_MS = 500;

/** Records that follow those before them: in the first and the last one there may be none. `ended`: nothing more will come. */
export interface LogUpdate {
  readonly records: readonly KeptRecord[];
  readonly after: LogPosition;
  readonly ended: boolean;
}

export interface LogWatchesParts {
  readonly watches: Pick<Watches, 'watch'>;
  readonly store: Pick<Store, 'readLogs'>;
  readonly bus: Pick<Bus, 'isUp'>;
  readonly timers: Timers;
}

/** What a watch of the job tells beside its log. */
interface JobEnd {
  isOver: boolean;
  error?: unknown;
}

export class LogWatches {
  readonly #parts: LogWatchesParts;
  readonly #watched = new Map<string, Set<WakeUp>>();
  #count = 0;

  constructor(parts: LogWatchesParts) {
    this.#parts = parts;
  }

  /** Nobody watches anything. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /**
   * What is kept after a position, at once, be it nothing; then what comes, until the job, or the attempt that was asked for, is over, or `gone` is
   * aborted.
   *
   * Throws JOB_NOT_FOUND, also when the job is deleted meanwhile, OVERLOADED, and SHUTTING_DOWN when this replica stops.
   */
  async *watch(namespace: string, query: Omit<LogQuery, 'limit'>, gone: AbortSignal): AsyncGenerator<LogUpdate, void> {
    if (this.#count >= MAX_WATCHERS)
      throw new EngineError('OVERLOADED', `more than ${MAX_WATCHERS} callers follow logs here already; try again`, {
        retryAfterMs: 1_000,
      });
    const { jobId, attempt } = query;
    const left = new AbortController();
    const signal = AbortSignal.any([gone, left.signal]);
    // Before the first look, so that what is stored between the two is not missed.
    const wakeUp = this.#enter(jobId);
    signal.addEventListener('abort', wakeUp.wake);
    const jobs = this.#parts.watches.watch(namespace, jobId, signal);
    try {
      // The first one tells whether there is such a job in this namespace: records are found by its id alone.
      const first = await jobs.next();
      const end: JobEnd = { isOver: first.done === true || isOver(first.value, attempt) };
      if (!end.isOver) void awaitEnd(jobs, attempt, end).finally(wakeUp.wake);
      yield* this.#inbox(query, end, wakeUp, signal);
    } finally {
      left.abort();
      void jobs.return(undefined);
      this.#leave(jobId, wakeUp);
    }
  }

  /** Records of these jobs were stored. */
  notify(jobIds: readonly string[]): void {
    if (this.isIdle) return;
    for (const jobId of jobIds) for (const { wake } of this.#watched.get(jobId) ?? []) wake();
  }

  async *#inbox(query: Omit<LogQuery, 'limit'>, end: JobEnd, wakeUp: WakeUp, gone: AbortSignal) {
    const { store } = this.#parts;
    let isFirst = true;
    for (let { after } = query; !gone.aborted; isFirst = false) {
      if (end.error !== undefined) throw end.error;
      // Before the read: of a job that was over by then, all records are there.
      const { isOver } = end;
      const { records, hasMore } = await store.readLogs({ ...query, after, limit: RECORDS_PER_READ }).catch((error) => {
        throw asEngineError(error);
      });
      const ended = isOver && !hasMore;
      if (isFirst || records.length > 0 || ended) yield { records, after, ended };
      if (ended) return;
      after = records.at(-1) ?? after;
      if (!hasMore) await this.#reported(wakeUp);
    }
  }

  /** Resolves when there may be something to be read. */
  async #reported(wakeUp: WakeUp): Promise<void> {
    const { bus, timers } = this.#parts;
    const timer = timers.after(bus.isUp() ? POLL_MS : POLL_BUS_DOWN_MS, wakeUp.wake);
    await wakeUp.woken();
    timer.cancel();
  }

  #enter(jobId: string): WakeUp {
    const wakeUp = new WakeUp();
    const watchers = this.#watched.get(jobId) ?? new Set();
    this.#watched.set(jobId, watchers.add(wakeUp));
    this.#count++;
    return wakeUp;
  }

  #leave(jobId: string, wakeUp: WakeUp): void {
    const watchers = this.#watched.get(jobId);
    watchers?.delete(wakeUp);
    if (watchers?.size === 0) this.#watched.delete(jobId);
    this.#count--;
  }
}

/** The log of an attempt is complete when the next one begins. */
function isOver({ state, attempt: current }: JobView, attempt: number | undefined): boolean {
  return isTerminal(state) || (attempt !== undefined && current > attempt);
}

/** Resolves with the end, or with what keeps it from being told. */
async function awaitEnd(jobs: AsyncIterable<JobView>, attempt: number | undefined, end: JobEnd): Promise<void> {
  try {
    for await (const job of jobs) if (isOver(job, attempt)) break;
    end.isOver = true;
  } catch (error) {
    end.error = error;
  }
}
