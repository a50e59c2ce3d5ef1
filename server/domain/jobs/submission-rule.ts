/** Rules of a definition about submissions that are alike: which of them become jobs, and when. */
import { type JobState, stateCodes } from './job-state.ts';

export type DuplicatePolicy = 'USE_EXISTING' | 'REJECT';

/** At most one job with the same key in one of the states. */
export interface Uniqueness {
  readonly byInput: boolean;
  /** Paths into the input. */
  readonly fields: readonly string[];
  /** Left out: the time is no part of the key. */
  readonly periodMs?: number;
  readonly byQueue: boolean;
  /** In the order of their codes. */
  readonly states: readonly JobState[];
  readonly policy: DuplicatePolicy;
}

/** Of jobs with the same key that come closely after each other only the last one runs. */
export interface Debounce {
  readonly fields: readonly string[];
  readonly waitMs: number;
  readonly maxWaitMs: number;
}

/** At most one job with the same key in a span of time. */
export interface Throttle {
  readonly fields: readonly string[];
  readonly periodMs: number;
  readonly policy: DuplicatePolicy;
}

/** What a definition may say; one of them at the most. */
export interface SubmissionRules {
  readonly uniqueness?: Uniqueness;
  readonly debounce?: Debounce;
  readonly throttle?: Throttle;
}

/** Without these a key would be taken from a job that is about to run, or runs. */
export const alwaysBlocking = ['BLOCKED', 'SCHEDULED', 'READY', 'ASSIGNED', 'RUNNING'] as const;
const blockingByDefault: readonly JobState[] = [...alwaysBlocking, 'PAUSED', 'WAITING', 'CANCELLING', 'SUCCEEDED'];

/** Each once, in the order of their codes: what means the same is the same content. None: the default. */
export function blockingStates(states: readonly JobState[]): JobState[] {
  const wanted = new Set(states.length > 0 ? states : blockingByDefault);
  return [...wanted].sort((a, b) => stateCodes[a] - stateCodes[b]);
}

/** The states that may not be left out and were. */
export function missingStates(states: readonly JobState[]): JobState[] {
  return states.length === 0 ? [] : alwaysBlocking.filter((state) => !states.includes(state));
}

/** The start of the period that a time lies in, in ms since 1970. */
export function periodStart(timeUs: number, periodMs: number): number {
  return Math.floor(timeUs / 1_000 / periodMs) * periodMs;
}

/** Whether a job is in the way of another one with its key. Without a state it is no longer kept, and so in nobody's way. */
export function isBlocking(state: JobState | undefined, states: readonly JobState[]): boolean {
  return state !== undefined && states.includes(state);
}

/** Milliseconds, rounded up, until a throttle takes the next job; none: it takes one now. */
export function remainingMs(nextUs: number, nowUs: number): number {
  return Math.max(0, Math.ceil((nextUs - nowUs) / 1_000));
}
