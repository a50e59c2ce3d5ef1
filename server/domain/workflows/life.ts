/** A workflow's job: how it starts, and how it ends. */

import { type Failure, type Payload, systemFailure } from '../base/payload.ts';
import { lastStageOf } from '../jobs/cancel-stage.ts';
import { continueAs, end } from '../jobs/decide.ts';
import type { Continue, End, OpenRun } from '../jobs/run.ts';

export type WorkflowOutcome =
  | { readonly state: 'SUCCEEDED'; readonly result: Payload }
  | { readonly state: 'FAILED' | 'CANCELLED'; readonly failure: Failure };

/** The control plane starts the workflow; from now on only its total timeout is due. */
export function decideStart(run: OpenRun): Continue | undefined {
  if (run.state !== 'READY') return undefined;
  return continueAs('start', run, { state: 'WAITING', dueTimeUs: run.limits.deadlineUs, reason: null });
}

/** All its work is done. A cancelled workflow ends CANCELLED, whatever its outcome. */
export function decideFinish(run: OpenRun, outcome: WorkflowOutcome): End | undefined {
  if (run.state === 'CANCELLING') return cancelled(run, outcome);
  if (run.state !== 'WAITING') return undefined;
  if (outcome.state === 'SUCCEEDED') return end('finish', run, 'SUCCEEDED', { result: outcome.result, reason: null });
  // Nobody cancelled it, so an outcome of CANCELLED counts as a failure.
  return end('finish', run, 'FAILED', { failure: outcome.failure, reason: outcome.failure.message });
}

function cancelled(run: OpenRun, outcome: WorkflowOutcome): End {
  const failure =
    outcome.state === 'CANCELLED'
      ? outcome.failure
      : systemFailure('CANCELLED', 'Cancelled', run.reason ?? 'cancelled');
  return end('finish', run, 'CANCELLED', {
    failure,
    reason: failure.message,
    cancelStage: lastStageOf('confirmCancel'),
  });
}
