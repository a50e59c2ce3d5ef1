/** A definition's rules about duplicate submissions: which of them become jobs, and when. */
import { type JobState, stateCodes } from './job-state.ts';

export type DuplicatePolicy = 'USE_EXISTING' | 'REJECT';

/** At most one job with the same key in one of the states. */
export interface Uniqueness {
  readonly byInput: boolean;
  /** Paths into the input. */
  readonly fields: readonly string[];
  /** Left out: the time is not part of the key. */
  readonly periodMs?: number;
  readonly byQueue: boolean;
  /** Sorted by code. */
  readonly states: readonly JobState[];
  readonly policy: DuplicatePolicy;
}

/** Of jobs with the same key in quick succession only the last one runs. */
export interface Debounce {
  readonly fields: readonly string[];
  readonly waitMs: number;
  readonly maxWaitMs: number;
}

/** At most one job with the same key per period. */
export interface Throttle {
  readonly fields: readonly string[];
  readonly periodMs: number;
  readonly policy: DuplicatePolicy;
}

/** A definition's submission rules; at most one is set. */
export interface SubmissionRules {
  readonly uniqueness?: Uniqueness;
  readonly debounce?: Debounce;
  readonly throttle?: Throttle;
}

/** States that must always block: otherwise a key could be taken from a job that runs or is about to. */
export const alwaysBlocking = ['BLOCKED', 'SCHEDULED', 'READY', 'ASSIGNED', 'RUNNING'] as const;
const blockingByDefault: readonly JobState[] = [...alwaysBlocking, 'PAUSED', 'WAITING', 'CANCELLING', 'SUCCEEDED'];

/** Without duplicates and sorted by code, so that equal settings have equal content. Empty: the default. */
export function blockingStates(states: readonly JobState[]): JobState[] {
  const wanted = new Set(states.length > 0 ? states : blockingByDefault);
  return [...wanted].sort((a, b) => stateCodes[a] - stateCodes[b]);
}

/** Required states that are missing. */
export function missingStates(states: readonly JobState[]): JobState[] {
  return states.length === 0 ? [] : alwaysBlocking.filter((state) => !states.includes(state));
}

/** Start of the period that contains the time, in ms since 1970. */
export function periodStart(timeUs: number, periodMs: number): number {
  return Math.floor(timeUs / 1_000 / periodMs) * periodMs;
}

/** Whether a job blocks another one with its key. Undefined: the job is no longer stored, and so blocks nothing. */
export function isBlocking(state: JobState | undefined, states: readonly JobState[]): boolean {
  return state !== undefined && states.includes(state);
}

/** Milliseconds, rounded up, until a throttle takes the next job; 0: now. */
export function remainingMs(nextUs: number, nowUs: number): number {
  return Math.max(0, Math.ceil((nextUs - nowUs) / 1_000));
}
