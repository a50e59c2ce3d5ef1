/**
 * Periodic work, each part in a loop of its own: closes lapsed sessions, advances due jobs, scans lanes for lost hints,
 * folds the counts of queues.
 */
import { decideDue } from '../../domain/jobs/decide-due.ts';
import type { Change } from '../../domain/jobs/run.ts';
import { decideWaitDue } from '../../domain/signals/wait.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Capacities } from '../dispatch/capacities.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import { Loop, type LoopParts, MAX_JITTER } from '../loop.ts';
import type { HeadPage } from '../ports/lanes.ts';
import type { Bus, Clock, Log, Random, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { Lapses } from './lapses.ts';

const ROUND_MS = 1_000;
const LONGEST_ROUND_MS = ROUND_MS * (1 + MAX_JITTER);
const PAGE = 1_000;
const PAGES = 100;
/**
 * A scan of the lane heads, or the folding of the queues' counts, may use one part in SCAN_SHARE of a replica's time.
 */
const SCAN_SHARE = 20;

export interface SweeperParts {
  readonly store: Pick<
    Store,
    'nowUs' | 'readLapsed' | 'shortenLeases' | 'readClosing' | 'readHeads' | 'nextDueUs' | 'queues'
  >;
  readonly sessions: Sessions;
  readonly changes: Changes;
  readonly dispatcher: Dispatcher;
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
  readonly #due: Loop;
  readonly #lanes: Loop;
  readonly #loops: readonly Loop[];
  #dueTimer: { readonly atUs: number; readonly timer: Timer } | undefined;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    const loop = (name: string, run: LoopParts['run']) => new Loop({ ...parts, name, everyMs: ROUND_MS, run });
    this.#due = loop('what is due', () => this.#promote());
    this.#lanes = loop('lanes', () => this.#scanHeads());
    const closing = loop('closing sessions', () => lapses.freeClosing());
    const lapses = new Lapses({ ...parts, everyMs: LONGEST_ROUND_MS, onClosing: () => closing.wake() });
    this.#loops = [
      this.#due,
      loop('sessions', () => lapses.closeLapsed()),
      closing,
      loop('limits', () => parts.limits.sweep()),
      loop('room in sessions', () => parts.capacities.sweep()),
      this.#lanes,
      loop('counts of queues', () => this.#foldCounts()),
    ];
  }

  /** Called once the API listens: workers can renew their leases here from then on. */
  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    this.#dueTimer?.timer.cancel();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Something is due at this time: runs the round then instead of at the usual time. */
  dueAt(dueUs: number): void {
    if (this.#due.isStopped || (this.#dueTimer && this.#dueTimer.atUs <= dueUs)) return;
    this.#dueTimer?.timer.cancel();
    const ms = Math.max(0, (dueUs - this.#parts.dbClock.nowUs()) / 1000);
    if (ms > ROUND_MS) {
      this.#dueTimer = undefined;
      return;
    }
    const timer = this.#parts.timers.after(ms, () => {
      this.#dueTimer = undefined;
      this.#due.wake();
    });
    this.#dueTimer = { atUs: dueUs, timer };
  }

  async #promote(): Promise<void> {
    const { changes, random, store, dbClock } = this.#parts;
    for (let page = 0; page < PAGES; page++) {
      const changed = await changes.apply(
        { by: 'due', limit: PAGE, latestUs: dbClock.nowUs() },
        (run, nowUs, definition) =>
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

  /** Notifies the worker of an attempt that ran out of time: it may not know the limit. */
  #stop({ event, run: { sessionId, jobId, attempt } }: Change): void {
    if (event === 'timeOut' && sessionId) this.#parts.bus.cancel(sessionId, [{ jobId, attempt }]);
  }

  /** Finds ready jobs whose hint was lost. Under an old snapshot the scan is expensive, so it rests longer then. */
  async #scanHeads(): Promise<number | undefined> {
    const { clock, store, dispatcher } = this.#parts;
    const start = clock.now();
    let afterLaneId: number | undefined = 0;
    while (afterLaneId !== undefined && !this.#lanes.isStopped) {
      const page: HeadPage = await store.readHeads(afterLaneId);
      if (page.heads.length > 0) dispatcher.hint(page.heads);
      afterLaneId = page.nextAfterLaneId;
    }
    return restAfter(clock.now() - start);
  }

  /** Every replica tries; one does the work. It is expensive under an old snapshot, too. */
  async #foldCounts(): Promise<number | undefined> {
    const { clock, store } = this.#parts;
    const start = clock.now();
    for (let page = 0; page < PAGES && (await store.queues.foldCounts()); page++);
    return restAfter(clock.now() - start);
  }
}

/** Delay after an expensive round, in ms. Undefined: the usual interval. */
function restAfter(tookMs: number): number | undefined {
  const restMs = tookMs * SCAN_SHARE;
  return restMs > ROUND_MS ? restMs : undefined;
}
