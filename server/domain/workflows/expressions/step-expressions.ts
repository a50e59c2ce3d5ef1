/** The expressions of a workflow, each with its location and the names that it may use. */
import { expressionOf } from '../step-dependencies.ts';
import type { Workflow, WorkflowStep } from '../workflow.ts';

export interface LocatedExpression {
  readonly text: string;
  readonly field: string;
  /** Number of the step; left out for the workflow's own output. */
  readonly step?: number;
  readonly kind:
    | 'condition'
    | 'input'
    | 'items'
    | 'repeat_condition'
    | 'compensation'
    | 'key'
    | 'output'
    | `depends_on[${number}]`;
  /** Variables that it may use. */
  readonly names: readonly string[];
}

const common = ['workflow', 'steps'];

/** Where each variable exists that does not exist everywhere. */
export const scopesOfNames: Readonly<Record<string, string>> = {
  item: 'the input of a step with fan_out',
  index: 'the input of a step with fan_out',
  iteration: 'a loop',
  previous: 'the input of a step with loop',
  output: 'loop.repeat_condition and compensation.input',
};

export const allNames = [...common, ...Object.keys(scopesOfNames)];

/** `field`: path of the workflow. */
export function* expressionsOf(workflow: Workflow, field: string): Generator<LocatedExpression> {
  for (const [i, step] of workflow.steps.entries()) yield* expressionsOfStep(step, i, `${field}.steps[${i}]`);
  if (workflow.output !== undefined)
    yield { text: workflow.output, field: `${field}.output`, kind: 'output', names: common };
}

/** See `expressionsOf`; for one step. */
export function* expressionsOfStep(step: WorkflowStep, number: number, field: string): Generator<LocatedExpression> {
  const { condition, input, fanOut, loop, compensation, cache, dependsOn = [] } = step;
  if (condition !== undefined)
    yield { text: condition, field: `${field}.condition`, step: number, kind: 'condition', names: common };
  if (input !== undefined) {
    const names = [...common, ...(fanOut ? ['item', 'index'] : []), ...(loop ? ['iteration', 'previous'] : [])];
    yield { text: input, field: `${field}.input`, step: number, kind: 'input', names };
  }
  if (fanOut) yield { text: fanOut.items, field: `${field}.fan_out.items`, step: number, kind: 'items', names: common };
  if (loop) {
    const names = [...common, 'output', 'iteration'];
    yield {
      text: loop.repeatCondition,
      field: `${field}.loop.repeat_condition`,
      step: number,
      kind: 'repeat_condition',
      names,
    };
  }
  if (compensation?.input !== undefined) {
    const names = [...common, 'output'];
    yield { text: compensation.input, field: `${field}.compensation.input`, step: number, kind: 'compensation', names };
  }
  if (cache?.key !== undefined)
    yield { text: cache.key, field: `${field}.cache.key`, step: number, kind: 'key', names: common };
  for (const [i, one] of dependsOn.entries()) {
    const { text, field: below } = expressionOf(one);
    yield { text, field: `${field}.depends_on[${i}].${below}`, step: number, kind: `depends_on[${i}]`, names: common };
  }
}
