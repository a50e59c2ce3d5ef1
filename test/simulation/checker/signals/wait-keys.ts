/**
 * The state of one key in the journal: the jobs that wait for its events, the kept events, and the waits that the
 * others are promised to.
 */

export interface WaitLife {
  readonly id: string;
  readonly definition: string;
  readonly key: string;
  /** Earliest start of its wait, µs; undefined: it does not wait yet. */
  since: number | undefined;
  /** Positions of its start and its end in the merged order. */
  began: number;
  ended: number;
  /** The event that is on its way to it. */
  promised: SentSignal | undefined;
}

export interface SentSignal {
  readonly row: number;
  readonly name: string;
  readonly key: string;
  readonly keepUntil: number;
  state: 'KEPT' | 'ON_ITS_WAY' | 'GONE';
  /** Jobs that it was promised to, and jobs that it ended. */
  readonly promised: Set<WaitLife>;
  readonly taken: Set<WaitLife>;
}

export class WaitKey {
  readonly waiting = new Set<WaitLife>();
  readonly events = new Map<number, SentSignal>();
  /** The number of waits without a promised event, from this position on. */
  readonly #unpromised: { readonly order: number; readonly count: number }[] = [];

  unpromised(): WaitLife[] {
    return [...this.waiting].filter(({ promised }) => !promised);
  }

  note(order: number): void {
    const count = this.unpromised().length;
    if (count !== (this.#unpromised.at(-1)?.count ?? 0)) this.#unpromised.push({ order, count });
  }

  /** Whether there was a wait without a promised event at every moment between the two. */
  alwaysWaited(from: number, until: number): boolean {
    const before = this.#unpromised.findLast(({ order }) => order <= from)?.count ?? 0;
    const between = this.#unpromised.filter(({ order }) => order > from && order < until);
    return before > 0 && between.every(({ count }) => count > 0);
  }

  /** The events that a new wait would take, in order; without those that are about to expire. */
  kept(atUs: number, marginUs: number): SentSignal[] {
    return [...this.events.values()]
      .filter(({ state, keepUntil }) => state === 'KEPT' && keepUntil > atUs + marginUs)
      .sort((a, b) => a.row - b.row);
  }
}
