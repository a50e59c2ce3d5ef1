/** The changes of a workflow in one transaction, and the form of a check's error. */
import type { StepState } from '../../../../server/domain/workflows/step-state.ts';
import type { Ordered } from '../base/events.ts';
import type { Child, FlowLife } from './flow-life.ts';

/** The changes of one workflow in a transaction. */
export interface Touched {
  readonly life: FlowLife;
  readonly before: {
    readonly states: readonly StepState[];
    readonly phase: number | undefined;
    readonly stopReason: number;
  };
  readonly made: Child[];
  end: Ordered | undefined;
}

export type Violate = (life: FlowLife, invariant: string, what: string) => void;
