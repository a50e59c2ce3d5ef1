/**
 * What this replica knows of room in sessions for jobs that take amounts of their resources: a session in which a claim has
 * found none is left alone until something is given back in it, here or at another replica. All of that only saves work:
 * what may be assigned is decided by the claim itself, and a round each second forgets what was seen.
 */
import type { CapacityResult } from '../ports/dispatch.ts';
import type { Bus, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { KnownLane } from './known-lane.ts';
import type { Lanes } from './lanes.ts';
import type { UnspentCredits } from './unspent-credits.ts';

/** Sessions that somebody else was at are looked at again after so long. */
const RECHECK_MS = 100;

export interface CapacitiesParts {
  readonly store: Pick<Store, 'renewReservations'>;
  readonly lanes: Pick<Lanes, 'get' | 'countRound' | 'hasSingleLanes'>;
  readonly credits: UnspentCredits;
  readonly bus: Pick<Bus, 'announce'>;
  readonly timers: Timers;
  /** There may be room where there was none. */
  readonly onCapacity: () => void;
}

/** An attempt that its session does not hold any more. */
export interface Given {
  readonly laneId: number;
  readonly sessionId?: string | null | undefined;
}

export class Capacities {
  readonly #parts: CapacitiesParts;
  readonly #missed = new Set<string>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: CapacitiesParts) {
    this.#parts = parts;
  }

  /** What a claim of the lane has seen that began at `moment`. */
  claimResult(lane: KnownLane, { exhausted, missed }: CapacityResult, moment: number): void {
    this.#parts.credits.fill([...exhausted, ...missed], lane.laneId, moment);
    for (const sessionId of missed) this.#missed.add(sessionId);
    if (missed.length > 0 && !this.#stopped)
      this.#timer ??= this.#parts.timers.after(RECHECK_MS, () => this.#recheck());
  }

  /** Told of every attempt that has ended or gone back. */
  freed(given: readonly Given[]): void {
    const { lanes, bus } = this.#parts;
    if (!lanes.hasSingleLanes) return;
    // What a lane's jobs take is not known here until the lane is: the next round is soon enough for those.
    const freed = given.flatMap(({ laneId, sessionId }) =>
      sessionId && lanes.get(laneId)?.needs.resources ? [sessionId] : [],
    );
    if (freed.length === 0) return;
    const sessionIds = [...new Set(freed)];
    this.onRemoteRelease(sessionIds);
    bus.announce({ kind: 'freedCapacity', sessionIds });
  }

  /** Another replica says that something was given back in these sessions. */
  onRemoteRelease(sessionIds: readonly string[]): void {
    this.#parts.credits.freeCapacity(sessionIds);
    this.#parts.onCapacity();
  }

  /** Called each second. */
  async sweep(): Promise<void> {
    const { lanes, credits, store, onCapacity } = this.#parts;
    lanes.countRound();
    credits.freeCapacity();
    onCapacity();
    if (lanes.hasSingleLanes) await store.renewReservations();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #recheck(): void {
    this.#timer = undefined;
    const missed = [...this.#missed];
    this.#missed.clear();
    this.onRemoteRelease(missed);
  }
}
