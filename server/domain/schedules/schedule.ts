/** A schedule: when it submits a job, and what happens if two of its jobs would overlap or a time was missed. */
import type { ScheduleTimes } from './nominal-times.ts';

/** Codes as stored in SQL. A trigger is stored as a schedule without times. */
export const scheduleKinds = { SCHEDULE: 1, TRIGGER: 2 } as const;
export type ScheduleKind = keyof typeof scheduleKinds;

/** Codes as stored in SQL; the same numbers as `OverlapPolicy` in the contract. */
export const overlapPolicies = {
  SKIP: 1,
  BUFFER_ONE: 2,
  BUFFER_ALL: 3,
  CANCEL_OTHER: 4,
  TERMINATE_OTHER: 5,
  ALLOW_ALL: 6,
} as const;
export type OverlapPolicy = keyof typeof overlapPolicies;

/** The same numbers as `CatchUpPolicy` in the contract. */
export const catchUpPolicies = { LATEST: 1, ALL: 2, NONE: 3 } as const;
export type CatchUpPolicy = keyof typeof catchUpPolicies;

/** Codes as stored in SQL; the same numbers as `ScheduleRunState` in the contract. */
export const scheduleRunStates = { ASKED: 1, BUFFERED: 2, STARTING: 3, STARTED: 4, SKIPPED: 5 } as const;
export type ScheduleRunState = keyof typeof scheduleRunStates;

/** Codes as stored in SQL; the same numbers as `ScheduleSkipReason` in the contract. */
export const scheduleSkipReasons = {
  OVERLAP: 1,
  BUFFER_FULL: 2,
  REPLACED: 3,
  MISSED: 4,
  PAUSED: 5,
  REFUSED: 6,
} as const;
export type ScheduleSkipReason = keyof typeof scheduleSkipReasons;

/** Codes as stored in SQL; the same numbers as `ScheduleRunCause` in the contract. */
export const scheduleRunCauses = { TIME: 1, TRIGGER: 2, BACKFILL: 3 } as const;
export type ScheduleRunCause = keyof typeof scheduleRunCauses;

/** The part of a schedule that does not change over time. */
export interface ScheduleRules {
  readonly times: ScheduleTimes;
  /** Each time is delayed by up to this, but not beyond the next time. */
  readonly jitterMs: number;
  readonly overlap: OverlapPolicy;
  readonly catchUp: CatchUpPolicy;
  /** Times missed longer ago are not caught up. */
  readonly catchUpWindowMs: number;
  readonly pauseOnFailure: boolean;
}

/** Key of a run of a schedule: a time can occur once by itself, and once for each request that asks for it. */
export interface RunKey {
  readonly nominalUs: number;
  /** Id of the request; the nil UUID stands for the schedule itself. */
  readonly causeId: string;
}

/** A run that has no job yet. */
export interface PendingRun extends RunKey {
  readonly cause: ScheduleRunCause;
  readonly overlap: OverlapPolicy;
}
