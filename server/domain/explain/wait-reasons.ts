/** Why a job waits: one set of names for jobs, explanations, events and metrics. */
import type { JobState } from '../jobs/job-state.ts';
import { isPutOff } from '../retries/retry-budget.ts';

/** The same numbers as `WaitReason` in the contract. */
export const waitReasons = {
  JOB_PAUSED: 1,
  DELAY: 2,
  RETRY_BACKOFF: 3,
  RETRY_BUDGET: 4,
  QUEUE_PAUSED: 5,
  CIRCUIT_BREAKER: 6,
  KEY_LIMIT: 7,
  DEFINITION_LIMIT: 8,
  QUEUE_LIMIT: 9,
  NO_WORKER: 10,
  SUSPECT: 11,
  IN_LINE: 12,
  DEPENDENCY: 13,
} as const;

export type WaitReason = keyof typeof waitReasons;

/**
 * The wait reason that follows from a job's state alone; `reason` is its stored text. Undefined: the state does not
 * determine it.
 */
export function reasonOfState(state: JobState, reason: string | null): WaitReason | undefined {
  if (state === 'PAUSED') return 'JOB_PAUSED';
  if (state === 'BLOCKED') return 'DEPENDENCY';
  if (state !== 'SCHEDULED') return undefined;
  // A wait after an attempt always stores a reason; an operator who sets a time clears it.
  if (reason === null) return 'DELAY';
  return isPutOff(reason) ? 'RETRY_BUDGET' : 'RETRY_BACKOFF';
}

const heldBefore: ReadonlySet<JobState> = new Set(['ASSIGNED', 'RUNNING', 'CANCELLING']);

/** The properties of a lane that decide why its jobs wait. */
export interface LaneOfMove {
  readonly suspect: boolean;
  readonly atLimit?: boolean | undefined;
}

/**
 * The wait reason that follows from a change of state. A retry that its budget defers stays in its state, so no event
 * reports it.
 */
export function reasonOfMove(
  previous: JobState | undefined,
  state: JobState,
  lane: LaneOfMove,
): WaitReason | undefined {
  if (state === 'READY') return lane.atLimit ? 'KEY_LIMIT' : lane.suspect ? 'SUSPECT' : undefined;
  const wasHeld = previous !== undefined && heldBefore.has(previous);
  // It waits for its children. A workflow or a wait, which no worker has had, waits as part of its work.
  if (state === 'WAITING') return wasHeld ? 'DEPENDENCY' : undefined;
  if (state !== 'SCHEDULED') return reasonOfState(state, null);
  return wasHeld ? 'RETRY_BACKOFF' : 'DELAY';
}

/** Reasons that metrics can count without reading each job: all jobs of a lane in one state share a reason. */
export const countedReasons = [
  'time',
  'job_paused',
  'dependency',
  'queue_paused',
  'circuit_breaker',
  'key_limit',
  'definition_limit',
  'queue_limit',
  'no_worker',
  'suspect',
  'in_line',
] as const;

export type CountedReason = (typeof countedReasons)[number];

/** The reason under which metrics count a wait: its own name, except that all times share one. */
export function countedAs(reason: WaitReason): CountedReason {
  if (reason === 'DELAY' || reason === 'RETRY_BACKOFF' || reason === 'RETRY_BUDGET') return 'time';
  return reason.toLowerCase() as CountedReason;
}
