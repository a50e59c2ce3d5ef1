/** Makes the job of a submission: its lane, its times, its rank. */

import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import type { Demands } from '../../../domain/dispatch/demands.ts';
import { canonicalDemands } from '../../../domain/dispatch/placement.ts';
import { rankOf } from '../../../domain/dispatch/rank.ts';
import { jobDeadlineOf } from '../../../domain/jobs/soft-deadline.ts';
import { earliest, limitsFrom } from '../../../domain/jobs/time-limits.ts';
import type { DbClock } from '../../base/db-clock.ts';
import type { JobIds } from '../../base/job-ids.ts';
import type { NewJob, Submission } from '../../ports/submissions.ts';
import type { WantedLane } from './first-jobs.ts';
import type { JobKeys } from './job-keys.ts';
import { isDebounced } from './rules.ts';

export interface NewJobParts {
  readonly ids: JobIds;
  readonly clock: DbClock;
}

/** The job to store, with its id and its rank. */
export function newJob(
  { ids, clock }: NewJobParts,
  submission: Submission,
  definition: JobDefinition,
  { laneId = 0, demands }: Pick<JobLane, 'laneId' | 'demands'>,
  keys: JobKeys,
): NewJob {
  const nowUs = clock.nowUs();
  const startUs = startOf(submission, definition, nowUs);
  const isLater = startUs > nowUs;
  const priority = submission.priority ?? definition.priority;
  const times = timesOf(submission, definition, isLater ? startUs : nowUs);
  // One object shape, written out for speed: tens of thousands are made per second.
  return {
    jobId: ids.next(),
    laneId,
    state: isLater ? 'SCHEDULED' : 'READY',
    rank: rankOf(isLater ? startUs : nowUs, priority, times.expireTimeUs),
    priority,
    labels: hasEntries(submission.labels) ? submission.labels : undefined,
    input: submission.input,
    demands,
    retryPolicy: submission.retryPolicy,
    runTimeoutMs: times.runTimeoutMs,
    idempotencyKey: submission.idempotencyKey || undefined,
    traceparent: submission.traceparent || undefined,
    tracestate: submission.tracestate || undefined,
    runTimeUs: isLater ? startUs : undefined,
    expireTimeUs: times.expireTimeUs,
    retryOf: submission.retryOf,
    deadlineUs: times.deadlineUs,
    progressTimeoutMs: times.progressTimeoutMs,
    watchWindowMs: times.watchWindowMs,
    softDeadline: times.softDeadline,
    checkResult: definition.outputSchema ? true : undefined,
    fairnessKey: keys.fairnessKey,
    limitKey: keys.limitKey,
    limitId: keys.limitId,
    limitMark: keys.limitId && isCounted(definition) ? 'COUNTED' : undefined,
    hasRetryBudget: definition.retryBudget ? true : undefined,
    parent: submission.parent,
    dependencies: submission.dependencies,
    notifiesDependents: definition.publishes ? true : undefined,
  };
}

function hasEntries(map: Readonly<Record<string, string>>): boolean {
  for (const _ in map) return true;
  return false;
}

/** The lane of a job. */
export interface JobLane extends WantedLane {
  /** Undefined: the lane does not exist yet. */
  readonly laneId: number | undefined;
  /** The submission's demands, if they override the definition's. */
  readonly demands: string | undefined;
}

function demandsOf({ demands, keepTo }: Submission, definition: JobDefinition): Demands {
  const asked = demands ?? definition.demands;
  return keepTo ? { ...asked, sticky: keepTo } : asked;
}

export function laneOf(namespace: string, submission: Submission, definition: JobDefinition): Omit<JobLane, 'laneId'> {
  const usual = canonicalDemands(definition.demands);
  const demands = canonicalDemands(demandsOf(submission, definition));
  const key = {
    namespace,
    queue: submission.queue || definition.queue,
    definition: definition.name,
    definitionVersion: definition.version,
    demands,
    suspect: false,
  };
  return { key, breaker: definition.circuitBreaker?.name, demands: demands === usual ? undefined : demands };
}

export function startOf(submission: Submission, definition: JobDefinition, nowUs: number): number {
  if (isDebounced(submission, definition)) return nowUs + (definition.debounce?.waitMs ?? 0) * 1000;
  if (submission.delayMs !== undefined) return nowUs + submission.delayMs * 1000;
  return submission.runTimeUs ?? nowUs;
}

type Times = Pick<
  NewJob,
  'runTimeoutMs' | 'expireTimeUs' | 'deadlineUs' | 'progressTimeoutMs' | 'watchWindowMs' | 'softDeadline'
>;

/** All time limits of the job. A queue timeout acts as an expiry: the earlier of the two applies. */
function timesOf(submission: Submission, definition: JobDefinition, startUs: number): Times {
  const { timeLimits } = definition;
  const runTimeoutMs = submission.runTimeoutMs ?? definition.runTimeoutMs;
  const { expireTimeUs, nominalTimeUs = startUs } = submission;
  const asked = submission.softDeadline ?? definition.softDeadline;
  const softDeadline = asked && jobDeadlineOf(asked, nominalTimeUs);
  if (!timeLimits) return { runTimeoutMs, expireTimeUs, softDeadline };
  const { queueUntilUs, deadlineUs } = limitsFrom(timeLimits, startUs);
  // A wait has no worker that needs the run timeout; capped, the two timeouts would race for its reason.
  const { totalTimeoutMs = runTimeoutMs } = definition.wait ? {} : timeLimits;
  return {
    runTimeoutMs: Math.min(runTimeoutMs, totalTimeoutMs),
    expireTimeUs: earliest(expireTimeUs, queueUntilUs) ?? undefined,
    deadlineUs,
    progressTimeoutMs: timeLimits.progressTimeoutMs,
    watchWindowMs: timeLimits.watchdog?.windowMs,
    softDeadline,
  };
}

/** Whether the definition's key limit does more than make its jobs wait. */
export function isCounted({ keyLimit }: JobDefinition): boolean {
  return keyLimit !== undefined && keyLimit.policy !== 'WAIT';
}

/** The fields of a job that depend on its start time. */
export function startingAt(submission: Submission, definition: JobDefinition, startUs: number): Partial<NewJob> {
  const times = timesOf(submission, definition, startUs);
  const rank = rankOf(startUs, submission.priority ?? definition.priority, times.expireTimeUs);
  return { ...times, rank, runTimeUs: startUs };
}
