/**
 * Holds the report of a failed attempt back until a heartbeat has carried its last checkpoint: the report closes the
 * attempt, and a closed one takes no checkpoint any more.
 */
import type { Held } from './held.ts';
import type { Outcome } from './outcome.ts';

interface HeldBack {
  readonly held: Held;
  readonly outcome: Outcome;
  /** The first heartbeat that can carry the checkpoint. */
  readonly beat: number;
}

export class CheckpointGate {
  #beats = 0;
  #heldBack: HeldBack[] = [];

  /** Numbers a heartbeat that is about to be sent. */
  beatSent(): number {
    return ++this.#beats;
  }

  /** Whether the report has to wait. A success needs no checkpoint. */
  holds(held: Held, outcome: Outcome): boolean {
    const retried = outcome.case === 'failure' || outcome.case === 'aborted';
    if (!retried || held.update?.checkpoint === undefined) return false;
    this.#heldBack.push({ held, outcome, beat: this.#beats + 1 });
    return true;
  }

  /** The reports that may go, now that a heartbeat is over. A failed one lets all of its own go: trying once is enough. */
  pass(beat: number, delivered: boolean): readonly HeldBack[] {
    if (this.#heldBack.length === 0) return [];
    const goes = (one: HeldBack) => (delivered ? one.held.update?.checkpoint === undefined : one.beat <= beat);
    const going = this.#heldBack.filter(goes);
    this.#heldBack = this.#heldBack.filter((one) => !goes(one));
    return going;
  }
}
