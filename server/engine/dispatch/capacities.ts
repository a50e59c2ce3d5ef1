/**
 * Capacity of sessions for jobs that take resources. A session in which a claim found no capacity is skipped until
 * resources are released in it, here or at another replica. This only saves work: the claim itself decides what may be
 * assigned, and a round each second resets what was seen.
 */
import type { CapacityResult } from '../ports/dispatch.ts';
import type { Bus, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { KnownLane } from './known-lane.ts';
import type { Lanes } from './lanes.ts';
import type { UnspentCredits } from './unspent-credits.ts';

/** Delay until sessions locked by another claim are tried again. */
const RECHECK_MS = 100;

export interface CapacitiesParts {
  readonly store: Pick<Store, 'renewReservations'>;
  readonly lanes: Pick<Lanes, 'get' | 'countRound' | 'hasSingleLanes'>;
  readonly credits: UnspentCredits;
  readonly bus: Pick<Bus, 'announce'>;
  readonly timers: Timers;
  /** There may be capacity where there was none. */
  readonly onCapacity: () => void;
}

/** A session's attempt that has ended or gone back. */
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

  /** Records a claim's result for the lane; the claim began at `moment`. */
  claimResult(lane: KnownLane, { exhausted, missed }: CapacityResult, moment: number): void {
    this.#parts.credits.fill([...exhausted, ...missed], lane.laneId, moment);
    for (const sessionId of missed) this.#missed.add(sessionId);
    if (missed.length > 0 && !this.#stopped)
      this.#timer ??= this.#parts.timers.after(RECHECK_MS, () => this.#recheck());
  }

  /** Call it for every attempt that has ended or gone back. */
  freed(given: readonly Given[]): void {
    const { lanes, bus } = this.#parts;
    if (!lanes.hasSingleLanes) return;
    // The demands of a lane that is not loaded here are not known; its sessions are found by the next round.
    const freed = given.flatMap(({ laneId, sessionId }) =>
      sessionId && lanes.get(laneId)?.needs.resources ? [sessionId] : [],
    );
    if (freed.length === 0) return;
    const sessionIds = [...new Set(freed)];
    this.onRemoteRelease(sessionIds);
    bus.announce({ kind: 'freedCapacity', sessionIds });
  }

  /** Another replica has announced that resources were released in these sessions. */
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
