/** What happens by itself: lapsed sessions are closed, what is due moves on, lanes are scanned, partitions are made. */
import { decideDue } from '../../domain/jobs/decide-due.ts';
import type { Change } from '../../domain/jobs/run.ts';
import { judgeLapsed } from '../../domain/sessions/lapse.ts';
import { decideWaitDue } from '../../domain/signals/wait.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Capacities } from '../dispatch/capacities.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { Bus, Clock, Log, Random, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { Probes } from '../retries/probes.ts';
import type { Sessions } from '../sessions/sessions.ts';

const ROUND_MS = 1_000;
/** Answers of the database further apart than this make the replica wait for a whole lease again. */
const GAP_MS = 2_000;
const PAGE = 1_000;
const PAGES = 100;
const PARTITIONS_EVERY_MS = 3_600_000;
/** A scan of the lane heads, and so the folding of the queues' counts, may take one part in so many of a replica's time. */
const SCAN_SHARE = 20;

export interface SweeperParts {
  readonly store: Pick<Store, 'nowUs' | 'readLapse' | 'readHeads' | 'nextDueUs' | 'ensurePartitions' | 'queues'>;
  readonly sessions: Sessions;
  readonly changes: Changes;
  readonly dispatcher: Dispatcher;
  readonly probes: Pick<Probes, 'sweep'>;
  readonly limits: Pick<Limits, 'sweep'>;
  readonly capacities: Pick<Capacities, 'sweep'>;
  readonly bus: Pick<Bus, 'cancel'>;
  readonly dbClock: DbClock;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly leaseMs: number;
}

export class Sweeper {
  readonly #parts: SweeperParts;
  #timer: Timer | undefined;
  #dueTimer: { readonly atUs: number; readonly timer: Timer } | undefined;
  #round: Promise<void> = Promise.resolve();
  #promoting: Promise<void> = Promise.resolve();
  #stopped = false;
  #healthySince: number | undefined;
  #lastAnswer = Number.NEGATIVE_INFINITY;
  #nextScan = 0;
  #nextFold = 0;
  #nextPartitions = 0;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Called once the API listens: from then on a worker could have renewed its lease here. */
  start(): void {
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#dueTimer?.timer.cancel();
    await Promise.allSettled([this.#round, this.#promoting]);
  }

  /** Something falls due at this time: looks then instead of at the next round. */
  dueAt(dueUs: number): void {
    if (this.#stopped || (this.#dueTimer && this.#dueTimer.atUs <= dueUs)) return;
    this.#dueTimer?.timer.cancel();
    const ms = Math.max(0, (dueUs - this.#parts.dbClock.nowUs()) / 1000);
    if (ms > ROUND_MS) {
      this.#dueTimer = undefined;
      return;
    }
    const timer = this.#parts.timers.after(ms, () => {
      this.#dueTimer = undefined;
      this.#promoting = this.#guard('what is due', () => this.#promote());
    });
    this.#dueTimer = { atUs: dueUs, timer };
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.timers.after(ms, () => {
      this.#round = this.#sweep().finally(() => this.#schedule(ROUND_MS * (0.9 + 0.2 * this.#parts.random.next())));
    });
  }

  async #sweep(): Promise<void> {
    await this.#guard('the clock', () => this.#check());
    await this.#guard('sessions', () => this.#closeLapsed());
    await this.#guard('what is due', () => this.#promote());
    await this.#guard('circuit breakers', () => this.#parts.probes.sweep());
    await this.#guard('limits', () => this.#parts.limits.sweep());
    await this.#guard('room in sessions', () => this.#parts.capacities.sweep());
    await this.#guard('lanes', () => this.#scanHeads());
    await this.#guard('counts of queues', () => this.#foldCounts());
    await this.#guard('partitions', () => this.#makePartitions());
  }

  async #guard(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopped) return;
    try {
      await work();
    } catch (error) {
      this.#parts.log.warn({ error: String(error) }, `could not look after ${what}; the next round tries again`);
    }
  }

  async #check(): Promise<void> {
    const { dbClock, store, clock } = this.#parts;
    await dbClock.refresh(store);
    const now = clock.now();
    if (now - this.#lastAnswer > GAP_MS) this.#healthySince = now;
    this.#lastAnswer = now;
  }

  /** Whether workers have had a whole lease of time in which this replica and the database could renew them. */
  #mayClose(): boolean {
    const now = this.#parts.clock.now();
    return (
      this.#healthySince !== undefined &&
      now - this.#lastAnswer <= GAP_MS &&
      now - this.#healthySince >= this.#parts.leaseMs
    );
  }

  async #closeLapsed(): Promise<void> {
    const { store, sessions, leaseMs, log } = this.#parts;
    const { lapsed, closing, open, nowUs } = await store.readLapse();
    for (const { sessionId, how } of closing) await sessions.free(sessionId, how);
    if (lapsed.length === 0 || !this.#mayClose()) return;
    const { close, massLapse } = judgeLapsed(lapsed, open, nowUs, leaseMs * 1000);
    if (massLapse)
      log.error(
        { lapsed: lapsed.length, open },
        'so many sessions lapsed at once that the fault must be ours: their jobs are not charged',
      );
    if (close.length === 0) return;
    const closed = await sessions.end(close, massLapse ? 'MASS_LAPSE' : 'LAPSE', massLapse ? leaseMs : 0);
    if (closed.length > 0)
      log.warn({ sessions: closed.slice(0, 20), count: closed.length }, 'sessions lapsed; what they held goes back');
  }

  async #promote(): Promise<void> {
    const { changes, random, store } = this.#parts;
    for (let page = 0; page < PAGES; page++) {
      const changed = await changes.apply({ by: 'due', limit: PAGE }, (run, nowUs, definition) =>
        definition.wait && run.state === 'WAITING'
          ? decideWaitDue(run, nowUs)
          : decideDue(
              run,
              run.retryPolicy ?? definition.retryPolicy,
              { nowUs, random: random.next() },
              definition.timeLimits,
            ),
      );
      for (const change of changed) this.#stop(change);
      if (changed.length < PAGE) break;
    }
    const next = await store.nextDueUs();
    if (next !== undefined) this.dueAt(next);
  }

  /** The worker of an attempt that ran out of time is told: it may know nothing of that limit. */
  #stop({ event, run: { sessionId, jobId, attempt } }: Change): void {
    if (event === 'timeOut' && sessionId) this.#parts.bus.cancel(sessionId, [{ jobId, attempt }]);
  }

  /** Finds ready jobs whose hint was lost. Under an old snapshot the scan is dear, so it takes its time. */
  async #scanHeads(): Promise<void> {
    const { clock, store, dispatcher } = this.#parts;
    const start = clock.now();
    if (start < this.#nextScan) return;
    const heads = await store.readHeads();
    this.#nextScan = clock.now() + (clock.now() - start) * SCAN_SHARE;
    if (heads.length > 0) dispatcher.hint(heads);
  }

  /** Each replica tries; one of them does the work. Under an old snapshot it is dear, too. */
  async #foldCounts(): Promise<void> {
    const { clock, store } = this.#parts;
    const start = clock.now();
    if (start < this.#nextFold) return;
    for (let page = 0; page < PAGES && (await store.queues.foldCounts()); page++);
    this.#nextFold = clock.now() + (clock.now() - start) * SCAN_SHARE;
  }

  async #makePartitions(): Promise<void> {
    const { clock, store } = this.#parts;
    if (clock.now() < this.#nextPartitions) return;
    await store.ensurePartitions();
    this.#nextPartitions = clock.now() + PARTITIONS_EVERY_MS;
  }
}
