/** What is stored of a submission: the job's place, its times, its rank. */

import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import type { Demands } from '../../../domain/dispatch/demands.ts';
import { canonicalDemands } from '../../../domain/dispatch/placement.ts';
import { rankOf } from '../../../domain/dispatch/rank.ts';
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

/** As it is to be stored, with its id and its rank. */
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
  // Of one shape, written out: there are tens of thousands a second.
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

/** Where a job belongs. */
export interface JobLane extends WantedLane {
  /** Undefined: the lane is not there yet. */
  readonly laneId: number | undefined;
  /** Of the submission, where they override the definition's. */
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

type Times = Pick<NewJob, 'runTimeoutMs' | 'expireTimeUs' | 'deadlineUs' | 'progressTimeoutMs' | 'watchWindowMs'>;

/** Every limit in time of the job. A wait in the queue that is too long is an expiry: the earlier of the two holds. */
function timesOf(submission: Submission, definition: JobDefinition, startUs: number): Times {
  const { timeLimits } = definition;
  const runTimeoutMs = submission.runTimeoutMs ?? definition.runTimeoutMs;
  const { expireTimeUs } = submission;
  if (!timeLimits) return { runTimeoutMs, expireTimeUs };
  const { queueUntilUs, deadlineUs } = limitsFrom(timeLimits, startUs);
  // A wait has no worker that must be told how long it may run; capped, the two timeouts would race for its reason.
  const { totalTimeoutMs = runTimeoutMs } = definition.wait ? {} : timeLimits;
  return {
    runTimeoutMs: Math.min(runTimeoutMs, totalTimeoutMs),
    expireTimeUs: earliest(expireTimeUs, queueUntilUs) ?? undefined,
    deadlineUs,
    progressTimeoutMs: timeLimits.progressTimeoutMs,
    watchWindowMs: timeLimits.watchdog?.windowMs,
  };
}

/** Whether its jobs do not simply wait at the limits of their keys. */
export function isCounted({ keyLimit }: JobDefinition): boolean {
  return keyLimit !== undefined && keyLimit.policy !== 'WAIT';
}

/** What of a job that waits for its start follows from when that is. */
export function startingAt(submission: Submission, definition: JobDefinition, startUs: number): Partial<NewJob> {
  const times = timesOf(submission, definition, startUs);
  const rank = rankOf(startUs, submission.priority ?? definition.priority, times.expireTimeUs);
  return { ...times, rank, runTimeUs: startUs };
}
