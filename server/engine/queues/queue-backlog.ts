/** The backlog of one queue with bounds: the last reading, plus the jobs that this replica has admitted since. */
import {
  type Backlog,
  type BacklogBounds,
  drainRate,
  type Entrant,
  firstOverrun,
} from '../../domain/queues/backlog.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Clock, Log } from '../ports/ports.ts';
import type { QueueName, QueueStore, Waiting } from '../ports/queues.ts';

export interface QueueBacklogParts {
  readonly store: { readonly queues: Pick<QueueStore, 'readBacklog'> };
  readonly clock: Clock;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
  readonly log: Log;
}

/** Min time to measure a rate; a shorter one is useless for a queue that a job leaves now and then. */
const MEASURE_MS = 1_000;

interface Measured {
  readonly atMs: number;
  readonly waiting: number;
  readonly settled: number;
}

export class QueueBacklog {
  readonly name: QueueName;
  readonly #parts: QueueBacklogParts;
  #bounds: BacklogBounds;
  #last: Waiting | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Admitted jobs that are being stored: a reading sees some of them, which are then counted twice. */
  #open = 0;
  /** Admitted jobs that are stored: in total, and before the last reading began. The reading has seen the latter. */
  #settled = 0;
  #settledBefore = 0;
  #measured: Measured | undefined;
  #jobsPerSecond: number | undefined;

  constructor(name: QueueName, bounds: BacklogBounds, parts: QueueBacklogParts) {
    this.name = name;
    this.#bounds = bounds;
    this.#parts = parts;
  }

  get bounds(): BacklogBounds {
    return this.#bounds;
  }

  /** A reading under other bounds may lack the age. */
  setBounds(bounds: BacklogBounds): void {
    const { maxBacklog, maxBacklogAgeMs } = this.#bounds;
    if (bounds.maxBacklog === maxBacklog && bounds.maxBacklogAgeMs === maxBacklogAgeMs) return;
    this.#bounds = bounds;
    this.#readMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Jobs per second that leave, minus those replaced by jobs of other replicas: the capacity that callers here can
   * expect. Undefined: not known yet.
   */
  get jobsPerSecond(): number | undefined {
    return this.#jobsPerSecond;
  }

  isOlderThan(ms: number): boolean {
    return this.#parts.clock.now() - this.#readMs > ms;
  }

  /** One reading, shared by all callers that wait for it. Never rejects: on an error the last reading stays. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** With or without the jobs admitted here since the reading. Without any reading the queue counts as empty. */
  backlog(withAccepted = true): Backlog {
    const since = withAccepted ? this.#open + this.#settled - this.#settledBefore : 0;
    const { waiting = 0, oldestUs } = this.#last ?? {};
    const ageMs = oldestUs === undefined ? 0 : Math.max(0, (this.#parts.dbClock.nowUs() - oldestUs) / 1_000);
    return { waiting: waiting + since, ageMs };
  }

  /**
   * Whether the queue is full only because of jobs admitted here since the reading, some of which may have left again.
   */
  isInDoubt(jobs: readonly Entrant[]): boolean {
    return firstOverrun(this.#bounds, this.backlog(false), jobs) === undefined;
  }

  accept(jobs: number): void {
    this.#open += jobs;
  }

  /** The admitted jobs are stored, or have failed; the next reading shows which. */
  settle(jobs: number): void {
    this.#open -= jobs;
    this.#settled += jobs;
  }

  async #read(): Promise<void> {
    const { store, clock, log } = this.#parts;
    const [bounds, settled, atMs] = [this.#bounds, this.#settled, clock.now()];
    try {
      this.#last = await store.queues.readBacklog(this.name, bounds.maxBacklogAgeMs !== null);
      this.#settledBefore = settled;
      this.#measure({ atMs, waiting: this.#last.waiting, settled });
    } catch (error) {
      log.warn({ error: String(error), queue: this.name.name }, 'could not read the backlog of a queue with bounds');
    }
    if (bounds === this.#bounds) this.#readMs = atMs;
  }

  #measure(now: Measured): void {
    const before = this.#measured;
    const ms = before ? now.atMs - before.atMs : 0;
    if (before && ms < MEASURE_MS) return;
    this.#measured = now;
    if (!before) return;
    const left = before.waiting + (now.settled - before.settled) - now.waiting;
    this.#jobsPerSecond = drainRate(this.#jobsPerSecond, left, ms);
  }
}
