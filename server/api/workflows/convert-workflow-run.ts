/** Converts running workflows between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  type CompensationRun,
  CompensationRunSchema,
  type StepState as WireState,
  type Workflow as WireWorkflow,
  WorkflowPhase,
  WorkflowSchema,
  type WorkflowStepRun,
  WorkflowStepRunSchema,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { namesOf } from '../../domain/base/codes.ts';
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import { stepRoles } from '../../domain/workflows/workflow.ts';
import type { ShownCompensation, ShownStep, WorkflowView } from '../../engine/ports/workflows.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { jobTo } from '../jobs/convert-job.ts';

const stateNameOf = namesOf(stepStates);
const MAX_STATES = 64;

/** Without duplicates and sorted, so that equal filters give equal texts. */
export function stepStatesFrom(wire: readonly WireState[], violations: Violations): StepState[] {
  const { length } = wire;
  violations.check(length <= MAX_STATES, 'states', `has ${length} entries; at most ${MAX_STATES} are allowed`);
  const unknown = wire.find((code) => stateNameOf(code) === undefined);
  violations.check(unknown === undefined, 'states', `has the unknown state ${unknown}; leave it empty for all states`);
  const known = [...new Set(wire)].sort((a, b) => a - b).map((code) => stateNameOf(code));
  return known.filter((name) => name !== undefined);
}

export function workflowTo({ job, phase, size, counts, cached, progress, estimatedEndUs }: WorkflowView): WireWorkflow {
  const estimatedEndTime = timestampTo(estimatedEndUs);
  return create(WorkflowSchema, {
    job: jobTo(job),
    phase: phase ? WorkflowPhase[phase] : WorkflowPhase.UNSPECIFIED,
    stepCount: size,
    waitingCount: counts.WAITING,
    runningCount: counts.RUNNING,
    succeededCount: counts.SUCCEEDED,
    failedCount: counts.FAILED,
    upstreamFailedCount: counts.UPSTREAM_FAILED,
    skippedCount: counts.SKIPPED,
    cachedCount: cached,
    progress,
    ...(estimatedEndTime ? { estimatedEndTime } : {}),
  });
}

export function stepRunTo({ step, startTimeUs, endTimeUs, ...run }: ShownStep): WorkflowStepRun {
  return create(WorkflowStepRunSchema, {
    name: step.name,
    number: run.number,
    state: stepStates[run.state],
    reason: run.reason,
    jobId: run.childId ?? '',
    iterationCount: run.iteration,
    ...(run.fanOut && { fanOut: fanOutTo(run.fanOut, step.fanOut?.maxParallel) }),
    needs: [...step.needs],
    needsPrefixes: [...(step.needsPrefixes ?? [])],
    role: stepRoles[step.role],
    definition: step.definition,
    cached: run.cached,
    ...(startTimeUs !== undefined && { startTime: timestampTo(startTimeUs) }),
    ...(run.compensation && { compensation: compensationTo(step.compensation?.definition ?? '', run.compensation) }),
    ...(endTimeUs !== undefined && { endTime: timestampTo(endTimeUs) }),
  });
}

function fanOutTo({ size, started, succeeded, failed }: NonNullable<ShownStep['fanOut']>, maxParallel = 0) {
  return { itemCount: size, startedCount: started, succeededCount: succeeded, failedCount: failed, maxParallel };
}

function compensationTo(definition: string, compensation: ShownCompensation): CompensationRun {
  const { state, compensationId, reason, startTimeUs, endTimeUs } = compensation;
  return create(CompensationRunSchema, {
    state: stepStates[state],
    jobId: compensationId ?? '',
    reason: reason ?? '',
    definition,
    ...(startTimeUs !== undefined && { startTime: timestampTo(startTimeUs) }),
    ...(endTimeUs !== undefined && { endTime: timestampTo(endTimeUs) }),
  });
}
