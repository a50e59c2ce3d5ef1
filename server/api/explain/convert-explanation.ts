/** Converts explanations of jobs to the contract. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type BlockerSchema,
  type ConstraintSchema,
  type JobExplanation,
  JobExplanationSchema,
  type RunningAttemptSchema,
  type StartEstimateSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_explanation_pb';
import type { Blocker, Constraint } from '../../domain/explain/constraint.ts';
import type { RunningAttempt, StartEstimate } from '../../domain/explain/explanation.ts';
import { waitReasons } from '../../domain/explain/wait-reasons.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Explanation } from '../../engine/explain/explanations.ts';
import type { JobView } from '../../engine/ports/jobs.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import { progressTo } from '../jobs/convert-progress.ts';

/** `{ key: time }`, or an empty object: protobuf-es accepts no undefined. */
function timeAt<K extends string>(key: K, us: number | undefined): { [P in K]?: ReturnType<typeof timestampTo> } {
  return us === undefined ? {} : ({ [key]: timestampTo(us) } as { [P in K]: ReturnType<typeof timestampTo> });
}

function blockerTo({
  jobId = '',
  sessionId = '',
  workerName = '',
  sinceUs,
}: Blocker): MessageInitShape<typeof BlockerSchema> {
  return { jobId, sessionId, workerName, ...timeAt('sinceTime', sinceUs) };
}

function constraintTo(constraint: Constraint): MessageInitShape<typeof ConstraintSchema> {
  const { reason, message, blockers, openTimeUs, sinceUs, nextStep } = constraint;
  return {
    reason: waitReasons[reason],
    message,
    blockers: blockers.list.map(blockerTo),
    blockerCount: BigInt(blockers.count),
    ...timeAt('openTime', openTimeUs),
    ...timeAt('sinceTime', sinceUs),
    nextStep,
  };
}

function estimateTo({
  earliestUs,
  latestUs,
  recent,
  basis,
}: StartEstimate): MessageInitShape<typeof StartEstimateSchema> {
  return {
    ...timeAt('earliestTime', earliestUs),
    ...timeAt('latestTime', latestUs),
    ...(recent ? { startCount: BigInt(recent.starts), window: durationTo(Math.round(recent.windowUs / 1_000)) } : {}),
    basis,
  };
}

function runningTo(running: RunningAttempt, view: JobView): MessageInitShape<typeof RunningAttemptSchema> {
  const { attempt, sessionId, workerName, assignTimeUs, beatTimeUs, progress } = running;
  return {
    attempt,
    sessionId,
    workerName,
    ...timeAt('assignTime', assignTimeUs),
    ...timeAt('beatTime', beatTimeUs),
    ...(progress ? { progress: progressTo(progress, view) } : {}),
  };
}

export function explanationTo({
  view,
  job,
  summary,
  constraints,
  place,
  estimate,
  running,
}: Explanation): JobExplanation {
  const { jobId, namespace, definition, definitionVersion, queue } = view;
  return create(JobExplanationSchema, {
    jobId,
    namespace,
    definition,
    definitionVersion,
    queue,
    state: stateCodes[view.state],
    ...timeAt('stateTime', job.sinceUs),
    summary,
    constraints: constraints.map(constraintTo),
    position: place?.place ?? 0,
    positionIsLowerBound: place?.isLeast ?? false,
    ...(estimate ? { startEstimate: estimateTo(estimate) } : {}),
    ...(running ? { running: runningTo(running, view) } : {}),
  });
}
