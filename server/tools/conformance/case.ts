/** A case: the steps that the kit performs on a worker, and the expected results. */

import type { Feature } from './features.ts';
import type { Terms } from './plane/control-plane.ts';
import type { Rule } from './rule.ts';
import type { Stage } from './stage.ts';

export interface Step {
  /** Description of the action or the expectation: "assigns a", "a is reported as cancelled". */
  readonly text: string;
  run(stage: Stage): Promise<void>;
}

export interface Case {
  /** Unique; in lower case with dashes. */
  readonly name: string;
  readonly rule: Rule;
  /** What a passing worker does, in one sentence. */
  readonly proves: string;
  readonly steps: readonly Step[];
  /** Slots of the worker. Default: 10. */
  readonly slots?: number;
  readonly terms?: Partial<Terms>;
  /** The feature that a worker must support for the case to apply. Default: none. */
  readonly needs?: Feature;
  /** Whether the worker has a wall clock of its own, which steps change. Default: false. */
  readonly hasWallClock?: boolean;
  /**
   * Whether the case leaves the worker unchanged, so that another shared case may use it next. Such a case begins with
   * `ready` and changes neither slots nor terms.
   */
  readonly isShared?: boolean;
}

export interface Group {
  readonly title: string;
  readonly cases: readonly Case[];
}
