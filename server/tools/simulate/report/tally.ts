/** Counts of a group of jobs as time goes by. */
import { type Cause, causes } from './report-types.ts';

export class Tally {
  waiting = 0;
  held = 0;
  longest = 0;
  mostHeld = 0;
  readonly heldBackMs: Record<Cause, number> = Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<
    Cause,
    number
  >;

  /** The moment is over: what came and went within it was never there. */
  settle(): void {
    this.longest = Math.max(this.longest, this.waiting);
    this.mostHeld = Math.max(this.mostHeld, this.held);
  }
}

/** Jobs of one definition in one queue. */
export class Lane {
  readonly queue: string;
  readonly definition: string;
  waiting = 0;
  /** Of those the ones whose key is at its limit. */
  keyBlocked = 0;

  constructor(queue: string, definition: string) {
    this.queue = queue;
    this.definition = definition;
  }
}

/** Of a key, of which there may be very many: brought up to date when something of it changes. */
export class KeyTally extends Tally {
  readonly #most: number;
  readonly #waitingByLane = new Map<Lane, number>();
  #sinceMs = 0;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  get isFull(): boolean {
    return this.held >= this.#most;
  }

  /** Until now everything was as it is. */
  reach(atMs: number): void {
    if (atMs === this.#sinceMs) return;
    this.settle();
    this.heldBackMs[this.isFull ? 'key' : 'other'] += this.waiting * (atMs - this.#sinceMs);
    this.#sinceMs = atMs;
  }

  wait(lane: Lane, by: number): void {
    this.waiting += by;
    this.#waitingByLane.set(lane, (this.#waitingByLane.get(lane) ?? 0) + by);
    if (this.isFull) lane.keyBlocked += by;
  }

  hold(by: number): void {
    const before = this.isFull;
    this.held += by;
    if (this.isFull === before) return;
    for (const [lane, waiting] of this.#waitingByLane) lane.keyBlocked += before ? -waiting : waiting;
  }
}
