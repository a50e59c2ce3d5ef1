/** An open job as a decision sees it, and what a decision may say about it. */

import type { Failure, Payload } from '../base/payload.ts';
import type { NewAuditRecord } from '../namespaces/audit.ts';
import type { BudgetOf, RetryPolicy } from '../retries/retry-policy.ts';
import type { CancelStage } from './cancel-stage.ts';
import type { JobEvent, JobState, TerminalState } from './job-state.ts';
import type { RunLimits } from './time-limits.ts';

/** Times are microseconds on the database's clock. */
export interface OpenRun {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
  readonly rank: number;
  readonly priority: number;
  readonly attempt: number;
  readonly attemptsCounted: number;
  readonly sessionId: string | null;
  readonly assignTimeUs: number | null;
  readonly dueTimeUs: number | null;
  readonly expireTimeUs: number | null;
  readonly limits: RunLimits;
  /** Of a PAUSED or BLOCKED job: when it may run once it is resumed, or let go. Null: at once. */
  readonly runTimeUs: number | null;
  readonly createTimeUs: number;
  /** Losses by lapse in a row. */
  readonly consecutiveLosses: number;
  /** Losses by lapse as a suspect. */
  readonly suspectLosses: number;
  /** Attempts lost for whatever reason, since submission. */
  readonly totalLosses: number;
  /** Attempts that failed for each cause, packed as `cause-counts.ts` does; 0 where the policy has no limits for causes. */
  readonly failures: number;
  readonly releases: number;
  readonly releasesSinceUs: number | null;
  /** Attempts whose handlers waited for children. */
  readonly suspensions: number;
  readonly reason: string | null;
  readonly runTimeoutMs: number;
  /** Set where the submission overrides the definition's. */
  readonly retryPolicy: RetryPolicy | null;
  readonly fairnessKey: string | null;
  /** Of its key for a key limit. */
  readonly limitId: string | null;
  /** The workflow's job, if it is of a step. */
  readonly parentJobId: string | null;
  /** Dependencies that are not met. */
  readonly unmetDependencies: number;
  /** That its handler has submitted. */
  readonly children: number;
  /** Its end is told to whoever depends on it. */
  readonly notifiesDependents: boolean;
}

/** Codes as stored in SQL; the same numbers as `AttemptOutcome` in the contract. */
export const attemptOutcomes = {
  SUCCEEDED: 1,
  FAILED: 2,
  CANCELLED: 3,
  RELEASED: 4,
  ABORTED: 5,
  LAPSED: 6,
  SESSION_CLOSED: 7,
  TIMED_OUT: 8,
  SUSPENDED: 9,
} as const;

/** Codes as stored in SQL; the same numbers as `SkipReason` in the contract. */
export const skipReasons = { CONDITION: 1, TRIGGER_RULE: 2, UPSTREAM_FAILED: 3, MANUAL: 4 } as const;

export type SkipReason = keyof typeof skipReasons;

export type AttemptOutcome = keyof typeof attemptOutcomes;

/** An attempt that a decision closes while the job goes on. */
export interface ClosedAttempt {
  readonly outcome: AttemptOutcome;
  readonly counted: boolean;
  readonly failure?: Failure | undefined;
  /** Of one that was released: the worker's reason. */
  readonly why?: string | undefined;
}

/** What a change writes to the job's record, which says what was asked for. */
export interface RecordChange {
  readonly priority: number;
  /** Null: as it is. */
  readonly runTimeUs: number | null;
  readonly expireTimeUs: number | null;
}

/** The job goes on in another state. */
export interface Continue {
  readonly kind: 'continue';
  readonly event: JobEvent;
  readonly run: OpenRun;
  readonly state: JobState;
  /** The run's own unless the job became a suspect, or stopped being one. */
  readonly laneId: number;
  readonly rank: number;
  readonly dueTimeUs: number | null;
  readonly attemptsCounted: number;
  readonly consecutiveLosses: number;
  readonly suspectLosses: number;
  readonly totalLosses: number;
  readonly failures: number;
  readonly releases: number;
  readonly releasesSinceUs: number | null;
  readonly suspensions: number;
  readonly reason: string | null;
  /** Of a PAUSED or BLOCKED job, see `OpenRun`. Undefined: null. */
  readonly runTimeUs?: number | null | undefined;
  /** Undefined where the record stays as it is: by all but an update. */
  readonly record?: RecordChange | undefined;
  /** The watchdog's next window, where it has looked and was content. */
  readonly watch?: { readonly untilUs: number; readonly fraction: number } | undefined;
  /** Of a retry whose time has come: it may begin only if this has room, and else is put off as it is written. */
  readonly retryBudget?: BudgetOf | undefined;
  /** Undefined where the attempt stays open (cancel, observe). */
  readonly closed?: ClosedAttempt | undefined;
  /** Somebody did it by hand. Undefined: that is not on record. */
  readonly audit?: NewAuditRecord | undefined;
}

/** A job that cleans up after one that was cancelled; made with the end of that one. */
export interface Cleanup {
  readonly jobId: string;
  readonly laneId: number;
  readonly rank: number;
  readonly runTimeoutMs: number;
  readonly retryPolicy: RetryPolicy;
  /** The job's own span, under which this one hangs, and the trace context of that for a job that came without one.
   * Undefined: the job has no span, and this one hangs where the job does. */
  readonly trace?: { readonly spanId: string; readonly traceparent: string } | undefined;
}

/** The job has ended. */
export interface End {
  readonly kind: 'end';
  readonly event: JobEvent;
  readonly run: OpenRun;
  readonly state: TerminalState;
  readonly attemptsCounted: number;
  /** Of a workflow or a wait that succeeded. */
  readonly result?: Payload | undefined;
  readonly failure?: Failure | undefined;
  readonly reason: string | null;
  /** Set where it ended CANCELLED. */
  readonly cancelStage?: CancelStage | undefined;
  /** Set where it ended SKIPPED. */
  readonly skipReason?: SkipReason | undefined;
  readonly cleanup?: Cleanup | undefined;
  /** It has waited for an event or for a person. */
  readonly leavesWait?: true;
  /** As of `Continue`. */
  readonly audit?: NewAuditRecord | undefined;
}

export type Change = Continue | End;
