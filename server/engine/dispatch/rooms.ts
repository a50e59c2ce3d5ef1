/**
 * What this replica knows of room in sessions for jobs that take amounts of their resources: a session in which a claim has
 * found none is left alone until something is given back in it, here or at another replica. All of that only saves work:
 * what may be assigned is decided by the claim itself, and a round each second forgets what was seen.
 */
import type { RoomSeen } from '../ports/demands.ts';
import type { Bus, Timer, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { KnownLane } from './known-lane.ts';
import type { Lanes } from './lanes.ts';
import type { ParkedCredits } from './parked-credits.ts';

/** Sessions that somebody else was at are looked at again after so long. */
const LOOK_AGAIN_MS = 100;

export interface RoomsParts {
  readonly store: Pick<Store, 'renewWaits'>;
  readonly lanes: Pick<Lanes, 'get' | 'countRound' | 'hasApart'>;
  readonly credits: ParkedCredits;
  readonly bus: Pick<Bus, 'announce'>;
  readonly timers: Timers;
  /** There may be room where there was none. */
  readonly onRoom: () => void;
}

/** An attempt that its session does not hold any more. */
export interface Given {
  readonly laneId: number;
  readonly sessionId?: string | null | undefined;
}

export class Rooms {
  readonly #parts: RoomsParts;
  readonly #missed = new Set<string>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: RoomsParts) {
    this.#parts = parts;
  }

  /** What a claim of the lane has seen that began at `moment`. */
  seen(lane: KnownLane, { full, missed }: RoomSeen, moment: number): void {
    this.#parts.credits.fill([...full, ...missed], lane.laneId, moment);
    for (const sessionId of missed) this.#missed.add(sessionId);
    if (missed.length > 0 && !this.#stopped)
      this.#timer ??= this.#parts.timers.after(LOOK_AGAIN_MS, () => this.#lookAgain());
  }

  /** Told of every attempt that has ended or gone back. */
  freed(given: readonly Given[]): void {
    const { lanes, bus } = this.#parts;
    if (!lanes.hasApart) return;
    // What a lane's jobs take is not known here until the lane is: the next round is soon enough for those.
    const freed = given.flatMap(({ laneId, sessionId }) =>
      sessionId && lanes.get(laneId)?.needs.resources ? [sessionId] : [],
    );
    if (freed.length === 0) return;
    const sessionIds = [...new Set(freed)];
    this.heard(sessionIds);
    bus.announce({ kind: 'freedRoom', sessionIds });
  }

  /** Another replica says that something was given back in these sessions. */
  heard(sessionIds: readonly string[]): void {
    this.#parts.credits.freeRoom(sessionIds);
    this.#parts.onRoom();
  }

  /** Called each second. */
  async sweep(): Promise<void> {
    const { lanes, credits, store, onRoom } = this.#parts;
    lanes.countRound();
    credits.freeRoom();
    onRoom();
    if (lanes.hasApart) await store.renewWaits();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #lookAgain(): void {
    this.#timer = undefined;
    const missed = [...this.#missed];
    this.#missed.clear();
    this.heard(missed);
  }
}
