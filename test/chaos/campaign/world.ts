/** What the faults of a segment act on. */
import type { Tail } from '../checker/lost-tail.ts';
import type { Dice } from '../harness/dice.ts';
import type { Run } from '../harness/run.ts';

export interface World {
  readonly run: Run;
  readonly dice: Dice;
  /** Ended jobs of a large database. */
  readonly rows: number;
  /** Breaches of what holds at any time. */
  readonly violations: string[];
  /** Errors that the replicas log because of a fault. */
  readonly expectedErrors: RegExp[];
  /** Set by a fault that has lost the last commits. */
  lostTail?: Tail;
}
