/** What a transaction has changed of a workflow, and how a check says what is wrong with it. */
import type { StepState } from '../../../server/domain/workflows/step-state.ts';
import type { Ordered } from './events.ts';
import type { Child, FlowLife } from './flow-life.ts';

/** What a transaction did to one workflow. */
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
