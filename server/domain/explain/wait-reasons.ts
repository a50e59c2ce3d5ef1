/** Why a job waits: the one set of names for what people read, in jobs, explanations, events and metrics. */
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
  DEADLOCK: 14,
} as const;

export type WaitReason = keyof typeof waitReasons;

/** What a job waits for by its state alone; `reason` is the text that it was given. Undefined: the state does not say. */
export function reasonOfState(state: JobState, reason: string | null): WaitReason | undefined {
  if (state === 'PAUSED') return 'JOB_PAUSED';
  if (state === 'BLOCKED') return 'DEPENDENCY';
  if (state !== 'SCHEDULED') return undefined;
  // Whoever makes a job wait after an attempt says why; a person who names a time takes that away.
  if (reason === null) return 'DELAY';
  return isPutOff(reason) ? 'RETRY_BUDGET' : 'RETRY_BACKOFF';
}

const heldBefore: ReadonlySet<JobState> = new Set(['ASSIGNED', 'RUNNING', 'CANCELLING']);

/** What a lane is for, as far as its jobs wait for that. */
export interface LaneOfMove {
  readonly suspect: boolean;
  readonly atLimit?: boolean | undefined;
}

/** The same by where it came from and went to. One that is put off by its budget stays in its state, which no event tells. */
export function reasonOfMove(
  previous: JobState | undefined,
  state: JobState,
  lane: LaneOfMove,
): WaitReason | undefined {
  if (state === 'READY') return lane.atLimit ? 'KEY_LIMIT' : lane.suspect ? 'SUSPECT' : undefined;
  const wasHeld = previous !== undefined && heldBefore.has(previous);
  // For its children; a workflow or a wait, which no worker has had, waits as part of its work.
  if (state === 'WAITING') return wasHeld ? 'DEPENDENCY' : undefined;
  if (state !== 'SCHEDULED') return reasonOfState(state, null);
  return wasHeld ? 'RETRY_BACKOFF' : 'DELAY';
}

/** What metrics can tell apart without looking at each job: all that a lane has in a state waits for one of these. */
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

/** Under which of them a reason is counted: its own name, but for those that are all times. No count tells of a deadlock. */
export function countedAs(reason: Exclude<WaitReason, 'DEADLOCK'>): CountedReason {
  if (reason === 'DELAY' || reason === 'RETRY_BACKOFF' || reason === 'RETRY_BUDGET') return 'time';
  return reason.toLowerCase() as CountedReason;
}
