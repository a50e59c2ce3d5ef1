/** Counts of a group of jobs over time. */
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

  /** The moment is over: changes that cancelled out within it are not counted. */
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
  /** Number of its waiting jobs whose key is at its limit. */
  keyBlocked = 0;

  constructor(queue: string, definition: string) {
    this.queue = queue;
    this.definition = definition;
  }
}

/** Counts of a key. There may be very many keys, so each is updated only when it changes. */
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

  /** Accounts for the time until now with the current counts. */
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
