/**
 * Constraints that hold before any worker is considered: the job itself, its times, its queue, its breaker, its limits.
 */

import { type Capacity, headroomOf } from '../dispatch/limits.ts';
import type { JobState } from '../jobs/job-state.ts';
import { type Blockers, type Constraint, noBlockers } from './constraint.ts';
import { breakerText, concurrencyText, keyText, momentText, queuePausedText, rateText } from './pause-texts.ts';
import { reasonOfState } from './wait-reasons.ts';

/** Times are microseconds on the database's clock. */
export interface WaitingJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly reason: string | null;
  /** SCHEDULED: when it continues. PAUSED: when it may run after it is resumed. */
  readonly dueTimeUs: number | undefined;
  readonly pauseTimeUs: number | undefined;
  /** PAUSED after its last attempt. */
  readonly exhausted: boolean;
  /** The workflow or batch with which it is paused. Undefined: it is paused for itself. */
  readonly pausedWith: string | undefined;
}

export interface PausedQueue {
  readonly name: string;
  readonly reason: string;
  readonly sinceUs: number | undefined;
}

export interface OpenBreaker {
  readonly name: string;
  readonly sinceUs: number | undefined;
  /** When the next probe is made. Undefined: one is running. */
  readonly probeTimeUs: number | undefined;
  readonly probe: Blockers;
}

export interface Limit {
  readonly reason: 'KEY_LIMIT' | 'DEFINITION_LIMIT' | 'QUEUE_LIMIT';
  /** Name of the queue or the definition. */
  readonly name: string;
  readonly capacity: Capacity;
  /** Rate limit units per attempt. */
  readonly cost: number;
  /** Jobs that count against it. */
  readonly blockers: Blockers;
  /** The job is deferred until its key has capacity. */
  readonly isDeferred?: boolean;
}

export interface Pauses {
  readonly job: WaitingJob;
  readonly queue: PausedQueue | undefined;
  readonly breaker: OpenBreaker | undefined;
  readonly limits: readonly Limit[];
  readonly nowUs: number;
}

/** In the order in which they must be resolved. */
export function jobConstraints({ job, queue, breaker, limits, nowUs }: Pauses): Constraint[] {
  return [
    ...pauseOf(job),
    ...timeOf(job, nowUs),
    ...(queue ? [queueConstraint(queue)] : []),
    ...(breaker ? [breakerConstraint(breaker)] : []),
    ...limits.flatMap((limit) => limitConstraint(limit, nowUs)),
  ];
}

function pauseOf(job: WaitingJob): Constraint[] {
  if (job.state !== 'PAUSED') return [];
  const message = `it is paused: ${job.reason}`;
  return [
    { reason: 'JOB_PAUSED', message, blockers: noBlockers, sinceUs: job.pauseTimeUs, nextStep: stepAfterPause(job) },
  ];
}

function stepAfterPause({ jobId, exhausted, pausedWith }: WaitingJob): string {
  if (exhausted)
    return `give it all its attempts again with ResumeJob: muster resume ${jobId}; or end it with FailJob: muster fail ${jobId}`;
  return pausedWith
    ? `resume the workflow or batch that it was paused with, by ResumeJob: muster resume ${pausedWith}`
    : `resume it with ResumeJob: muster resume ${jobId}`;
}

function timeOf({ jobId, state, reason: text, dueTimeUs }: WaitingJob, nowUs: number): Constraint[] {
  const isAhead = dueTimeUs !== undefined && (state === 'SCHEDULED' || (state === 'PAUSED' && dueTimeUs > nowUs));
  if (!isAhead) return [];
  const reason = reasonOfState('SCHEDULED', state === 'PAUSED' ? null : text);
  const nextStep = `it continues by itself; to start it now, use UpdateJob with a run time in the past: muster update ${jobId} --run-in 0s`;
  const at = momentText(dueTimeUs);
  const message = {
    DELAY: `it may start at ${at} at the earliest`,
    RETRY_BACKOFF: `it is tried again at ${at}, after this: ${text}`,
    RETRY_BUDGET: `it ${text}; it asks again at ${at}`,
  }[reason as 'DELAY'];
  return [{ reason: reason ?? 'DELAY', message, blockers: noBlockers, openTimeUs: dueTimeUs, nextStep }];
}

function queueConstraint({ name, reason, sinceUs }: PausedQueue): Constraint {
  const nextStep = `resume the queue with ResumeQueue: muster queues resume ${name}`;
  return { reason: 'QUEUE_PAUSED', message: queuePausedText(name, reason), blockers: noBlockers, sinceUs, nextStep };
}

function breakerConstraint({ name, sinceUs, probeTimeUs, probe }: OpenBreaker): Constraint {
  const next =
    probeTimeUs === undefined
      ? `job ${probe.list[0]?.jobId} is the probe`
      : `a probe is made at ${momentText(probeTimeUs)}`;
  return {
    reason: 'CIRCUIT_BREAKER',
    message: breakerText(name, next),
    blockers: probe,
    openTimeUs: probeTimeUs,
    sinceUs,
    nextStep: `if the dependency works again, close the breaker with CloseCircuitBreaker: muster breakers close ${name}`,
  };
}

const nextSteps = {
  KEY_LIMIT: (name: string) => `wait, or raise the key limit of definition ${name}: muster apply`,
  DEFINITION_LIMIT: (name: string) => `wait, or raise the limit of definition ${name}: muster apply`,
  QUEUE_LIMIT: (name: string) => `wait, or raise the limit of the queue: muster queues update ${name}`,
};

function limitConstraint(limit: Limit, nowUs: number): Constraint[] {
  const { reason, name, capacity, cost, blockers, isDeferred = false } = limit;
  const headroom = headroomOf(capacity, cost, nowUs);
  if (headroom.jobs > 0 && !isDeferred) return [];
  const openTimeUs = headroom.jobs > 0 ? undefined : headroom.openTimeUs;
  const nextStep = nextSteps[reason](name);
  // Rate units return with time. A concurrency slot must be released by one of its blockers.
  const held = openTimeUs === undefined ? blockers : noBlockers;
  return [{ reason, message: limitText(limit, openTimeUs), blockers: held, openTimeUs, nextStep }];
}

function limitText({ reason, name, capacity }: Limit, openTimeUs: number | undefined): string {
  if (reason === 'KEY_LIMIT') return `${keyText(name, capacity)}${openAt(openTimeUs)}`;
  const what = reason === 'QUEUE_LIMIT' ? `queue ${name}` : `definition ${name}`;
  if (openTimeUs === undefined || !capacity.rateLimit) return concurrencyText(what, capacity);
  return `${what} has used up its rate of ${rateText(capacity.rateLimit)}${openAt(openTimeUs)}`;
}

function openAt(us: number | undefined): string {
  return us === undefined ? '' : `; capacity is available at ${momentText(us)}`;
}
