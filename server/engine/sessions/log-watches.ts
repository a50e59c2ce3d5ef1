/**
 * Streams of handlers' logs. A stream reads the store when this replica has stored records of the job, or another one
 * hints that it has. So the store defines order and gaps; a lost, late or repeated hint changes only the time of a
 * read.
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
/** Max records buffered for a slow reader, of at most 8 KiB each. */
const RECORDS_PER_READ = 100;
/** Without a hint a stream reads after this time: hints can be lost ... */
const POLL_MS = 2_000;
/** ... and while the bus is down there are none. */
const POLL_BUS_DOWN_MS = 500;

/** Records after the last ones. The first and the last update may be empty. `ended`: nothing more will come. */
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

/** State of the job's own watch, which runs next to the stream. */
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

  /** Whether there are no watches. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /**
   * The records after a position at once, even if there are none; then new ones, until the job, or the requested
   * attempt, is over, or `gone` is aborted.
   *
   * Throws JOB_NOT_FOUND, also when the job is deleted meanwhile, OVERLOADED, and SHUTTING_DOWN when this replica
   * stops.
   */
  async *watch(namespace: string, query: Omit<LogQuery, 'limit'>, gone: AbortSignal): AsyncGenerator<LogUpdate, void> {
    if (this.#count >= MAX_WATCHERS)
      throw new EngineError('OVERLOADED', `more than ${MAX_WATCHERS} callers follow logs here already; try again`, {
        retryAfterMs: 1_000,
      });
    const { jobId, attempt } = query;
    const left = new AbortController();
    const signal = AbortSignal.any([gone, left.signal]);
    // Registered before the first read, so that records stored in between are not missed.
    const wakeUp = this.#enter(jobId);
    signal.addEventListener('abort', wakeUp.wake);
    const jobs = this.#parts.watches.watch(namespace, jobId, signal);
    try {
      // The first item checks that the namespace has the job: records are read by the job's id alone.
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
      // Copied before the read: the log of a job that was over by then is complete.
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

  /** Resolves when there may be new records. */
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

/** The log of an attempt is complete when the next attempt begins. */
function isOver({ state, attempt: current }: JobView, attempt: number | undefined): boolean {
  return isTerminal(state) || (attempt !== undefined && current > attempt);
}

/** Records the job's end in `end`, or the error of its watch. */
async function awaitEnd(jobs: AsyncIterable<JobView>, attempt: number | undefined, end: JobEnd): Promise<void> {
  try {
    for await (const job of jobs) if (isOver(job, attempt)) break;
    end.isOver = true;
  } catch (error) {
    end.error = error;
  }
}
