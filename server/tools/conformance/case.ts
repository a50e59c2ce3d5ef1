/** A case: what is done to the worker, step by step, and what has to come of it. */

import type { Feature } from './features.ts';
import type { Terms } from './plane/control-plane.ts';
import type { Rule } from './rule.ts';
import type { Stage } from './stage.ts';

export interface Step {
  /** What is done or awaited, for people: "assigns a", "a is reported as cancelled". */
  readonly text: string;
  run(stage: Stage): Promise<void>;
}

export interface Case {
  /** Unique; in lower case with dashes. */
  readonly name: string;
  readonly rule: Rule;
  /** What a worker does that passes, in one sentence. */
  readonly proves: string;
  readonly steps: readonly Step[];
  /** Slots of the worker. Default: 10. */
  readonly slots?: number;
  readonly terms?: Partial<Terms>;
  /** What a worker has to offer for the case to be about it. Default: nothing. */
  readonly needs?: Feature;
  /** Whether the worker has a wall clock of its own, which steps move. Default: false. */
  readonly hasWallClock?: boolean;
  /**
   * Whether it leaves the worker as it found it, so that others of the kind may have it next. Such a case begins with
   * `ready` and changes neither slots nor terms.
   */
  readonly isShared?: boolean;
}

export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
}
