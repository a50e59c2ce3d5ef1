/**
 * Holds the report of a failed attempt back until a heartbeat has carried its last checkpoint: the report closes the
 * attempt, and a closed one takes no checkpoint any more.
 */
import type { Held } from './held.ts';
import { CHECKPOINT_TRIES } from './limits.ts';
import type { Outcome } from './outcome.ts';

interface Unsent {
  readonly held: Held;
  readonly outcome: Outcome;
  /** The first heartbeat that can carry the checkpoint. */
  readonly beat: number;
  /** Heartbeats that could carry it and failed. */
  failures: number;
}

export class CheckpointGate {
  #beats = 0;
  #unsent: Unsent[] = [];

  /** Numbers a heartbeat that is about to be sent. */
  beatSent(): number {
    return ++this.#beats;
  }

  /** Whether the report has to wait. A success needs no checkpoint. */
  holds(held: Held, outcome: Outcome): boolean {
    const retried = ['failure', 'aborted', 'suspended'].includes(outcome.case ?? '');
    if (!retried || held.update?.checkpoint === undefined) return false;
    this.#unsent.push({ held, outcome, beat: this.#beats + 1, failures: 0 });
    return true;
  }

  /** The reports that may go, now that a heartbeat is over: those whose checkpoint has come through, or never will. */
  pass(beat: number, delivered: boolean): readonly Unsent[] {
    if (this.#unsent.length === 0) return [];
    if (!delivered) for (const one of this.#unsent) if (one.beat <= beat) one.failures++;
    const goes = ({ held, failures }: Unsent) => held.update?.checkpoint === undefined || failures >= CHECKPOINT_TRIES;
    const going = this.#unsent.filter(goes);
    this.#unsent = this.#unsent.filter((one) => !goes(one));
    return going;
  }
}
