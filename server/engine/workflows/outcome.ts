/** What a workflow ends with. */
import { type Failure, systemFailure } from '../../domain/base/payload.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { Body } from './bodies.ts';
import type { Steps } from './steps/steps.ts';
import { NoValue, payloadOf, type Values } from './values.ts';

export interface OutcomeParts {
  readonly parts: { readonly body: Body };
  readonly steps: Steps;
  readonly values: Values;
}

/** Leaves whose outputs are put together where the body says nothing of its output. */
const unknownFailure = systemFailure('INTERNAL', 'WorkflowFailed', 'a step failed, and nothing is known of why');

export async function outcomeOf(
  state: WorkflowOutcome['state'],
  failure: Failure | undefined,
  notUndone: string | undefined,
  advance: OutcomeParts,
): Promise<WorkflowOutcome> {
  if (state !== 'SUCCEEDED') {
    const why = failure ?? unknownFailure;
    // Also of a cancelled one: what was not undone must be seen.
    return { state, failure: notUndone ? { ...why, message: `${why.message}; ${notUndone}` } : why };
  }
  try {
    return { state, result: payloadOf(await resultOf(advance)) };
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return {
      state: 'FAILED',
      failure: systemFailure('APPLICATION', 'OutputExpression', `its output: ${error.message}`),
    };
  }
}

async function resultOf({ parts: { body }, steps, values }: OutcomeParts): Promise<unknown> {
  const expression = body.expression('output');
  if (expression) return values.evaluate(expression);
  const leaves = body.graph.leaves('NORMAL');
  await steps.load(leaves);
  const outputs: [string, unknown][] = [];
  for (const step of leaves)
    if (steps.row(step).state === 'SUCCEEDED')
      outputs.push([body.graph.step(step).name, (await values.output(step)) ?? null]);
  return Object.fromEntries(outputs);
}
