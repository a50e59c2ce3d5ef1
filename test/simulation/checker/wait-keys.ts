/** What the journal says of one key: who waits for its events, which of them are kept, and whom the others are meant for. */

export interface WaitLife {
  readonly id: string;
  readonly definition: string;
  readonly key: string;
  /** µs from which on it may have waited; undefined: it does not yet. */
  since: number | undefined;
  /** Place in the one order of its begin, and of its end. */
  began: number;
  ended: number;
  /** The event that is on its way to it. */
  promised: SentEvent | undefined;
}

export interface SentEvent {
  readonly row: number;
  readonly name: string;
  readonly key: string;
  readonly keepUntil: number;
  state: 'KEPT' | 'ON_ITS_WAY' | 'GONE';
  /** Jobs that it was meant for, and those that it ended. */
  readonly promised: Set<WaitLife>;
  readonly taken: Set<WaitLife>;
}

export class WaitKey {
  readonly waiting = new Set<WaitLife>();
  readonly events = new Map<number, SentEvent>();
  /** How many wait that nothing is meant for, from this place in the one order on. */
  readonly #unpromised: { readonly order: number; readonly count: number }[] = [];

  unpromised(): WaitLife[] {
    return [...this.waiting].filter(({ promised }) => !promised);
  }

  note(order: number): void {
    const count = this.unpromised().length;
    if (count !== (this.#unpromised.at(-1)?.count ?? 0)) this.#unpromised.push({ order, count });
  }

  /** Whether somebody waited all the time between the two, and nothing was meant for him. */
  alwaysWaited(from: number, until: number): boolean {
    const before = this.#unpromised.findLast(({ order }) => order <= from)?.count ?? 0;
    const between = this.#unpromised.filter(({ order }) => order > from && order < until);
    return before > 0 && between.every(({ count }) => count > 0);
  }

  /** Those that a job would take which begins to wait, the first one first; those that are about to lapse are left out. */
  kept(atUs: number, marginUs: number): SentEvent[] {
    return [...this.events.values()]
      .filter(({ state, keepUntil }) => state === 'KEPT' && keepUntil > atUs + marginUs)
      .sort((a, b) => a.row - b.row);
  }
}
