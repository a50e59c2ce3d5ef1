/**
 * Delays the report of a failed attempt until a heartbeat has carried its last checkpoint. The report closes the
 * attempt, and a closed attempt takes no more checkpoints.
 */

import { CHECKPOINT_TRIES } from '../base/limits.ts';
import type { Held } from '../dispatch/held.ts';
import type { Outcome } from './outcome.ts';

interface Unsent {
  readonly held: Held;
  readonly outcome: Outcome;
  /** Number of the first heartbeat that can carry the checkpoint. */
  readonly beat: number;
  /** Failed heartbeats that could have carried it. */
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

  /** Returns the reports that a completed heartbeat frees: their checkpoint arrived, or is given up. */
  pass(beat: number, delivered: boolean): readonly Unsent[] {
    if (this.#unsent.length === 0) return [];
    if (!delivered) for (const one of this.#unsent) if (one.beat <= beat) one.failures++;
    const goes = ({ held, failures }: Unsent) => held.update?.checkpoint === undefined || failures >= CHECKPOINT_TRIES;
    const going = this.#unsent.filter(goes);
    this.#unsent = this.#unsent.filter((one) => !goes(one));
    return going;
  }
}
