/** Computes the outcome of a workflow. */
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

const unknownFailure = systemFailure('INTERNAL', 'WorkflowFailed', 'a step failed, for an unknown reason');

export async function outcomeOf(
  state: WorkflowOutcome['state'],
  failure: Failure | undefined,
  notUndone: string | undefined,
  advance: OutcomeParts,
): Promise<WorkflowOutcome> {
  if (state !== 'SUCCEEDED') {
    const why = failure ?? unknownFailure;
    // Also for a cancelled workflow: failed compensations must be visible.
    return { state, failure: notUndone ? { ...why, message: `${why.message}; ${notUndone}` } : why };
  }
  try {
    return { state, result: payloadOf(await resultOf(advance)) };
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return {
      state: 'FAILED',
      failure: systemFailure(
        'APPLICATION',
        'OutputExpression',
        `its output: ${error.message.replace(/^output: /, '')}`,
      ),
    };
  }
}

/** Without an output expression: the outputs of the successful leaves, by name of the step. */
async function resultOf({ parts: { body }, steps, values }: OutcomeParts): Promise<string> {
  const expression = body.expression('output');
  if (expression) return values.evaluate(expression);
  const leaves = body.graph.leaves('NORMAL');
  await steps.load(leaves);
  const outputs: [string, unknown][] = [];
  for (const step of leaves)
    if (steps.row(step).state === 'SUCCEEDED')
      outputs.push([body.graph.step(step).name, (await values.parsedOutput(step)) ?? null]);
  return JSON.stringify(Object.fromEntries(outputs));
}
