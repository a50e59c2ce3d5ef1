/** An open job as a decision sees it, and the changes that a decision can make. */

import type { Failure, Payload } from '../base/payload.ts';
import type { NewAuditRecord } from '../namespaces/audit.ts';
import type { BudgetOf, RetryPolicy } from '../retries/retry-policy.ts';
import type { CancelStage } from './cancel-stage.ts';
import type { JobEvent, JobState, TerminalState } from './job-state.ts';
import type { RunLimits } from './time-limits.ts';

/** Wanted by an operator, until the attempt ends or the job is resumed. */
export interface Suspension {
  /** When the grace period ends, and with it the attempt. */
  readonly untilUs: number;
  /** PAUSED: until somebody resumes the job. READY: its queue is paused, and it keeps its place there. */
  readonly to: 'PAUSED' | 'READY';
}

/** Times are microseconds on the database's clock. */
export interface OpenRun {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
  readonly rank: number;
  readonly priority: number;
  readonly attempt: number;
  readonly attemptCount: number;
  readonly sessionId: string | null;
  readonly assignTimeUs: number | null;
  readonly dueTimeUs: number | null;
  readonly expireTimeUs: number | null;
  readonly limits: RunLimits;
  /** Its total timeout is stopped until it is resumed, and starts anew then. */
  readonly timeoutsStopped: boolean;
  /**
   * Somebody asked its handler to stop, or wants it paused once its children have ended. A workflow or a batch that is
   * PAUSED or CANCELLING: until when the handlers of its jobs may take; null: as long as their definitions say.
   */
  readonly suspension: Suspension | null;
  /** PAUSED: a workflow or a batch that had begun, and continues when it is resumed. */
  readonly begun: boolean;
  /** PAUSED, or asked to stop, because its workflow or batch is paused: it is resumed with that. */
  readonly pausedWithParent: boolean;
  /** PAUSED after its last attempt: it counts anew when it is resumed. */
  readonly exhausted: boolean;
  /** When a person resumed it after its last attempt: its retries count from there. Null: from its creation. */
  readonly retriesSinceUs: number | null;
  /** PAUSED or BLOCKED: when it may run after it is resumed or unblocked. Null: at once. */
  readonly runTimeUs: number | null;
  readonly createTimeUs: number;
  /** Consecutive losses by lapse. */
  readonly consecutiveLosses: number;
  /** Losses by lapse as a suspect. */
  readonly suspectLosses: number;
  /** Attempts lost for any reason, since submission. */
  readonly totalLosses: number;
  /** Failed attempts per cause, packed as in `cause-counts.ts`; 0 if the policy has no limits per cause. */
  readonly failures: number;
  readonly releases: number;
  readonly releasesSinceUs: number | null;
  /** Attempts whose handlers waited for children, or stopped on request; and all those before `retriesSinceUs`. */
  readonly suspensions: number;
  readonly reason: string | null;
  readonly runTimeoutMs: number;
  /** Set if the submission overrides the definition's policy. */
  readonly retryPolicy: RetryPolicy | null;
  readonly fairnessKey: string | null;
  /** Id of its key for a key limit. */
  readonly limitId: string | null;
  /** The workflow's job, if this job runs a step. */
  readonly parentJobId: string | null;
  /** Number of unmet dependencies. */
  readonly unmetDependencies: number;
  /** Number of children that its handlers submitted. */
  readonly children: number;
  /** Its end must be reported to its dependents. */
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

/** An attempt that a decision closes while the job continues. */
export interface ClosedAttempt {
  readonly outcome: AttemptOutcome;
  readonly counted: boolean;
  readonly failure?: Failure | undefined;
  /** If released: the worker's reason. */
  readonly why?: string | undefined;
}

/** Changes to the job's record, which holds the requested settings. */
export interface RecordChange {
  readonly priority: number;
  /** Null: unchanged. */
  readonly runTimeUs: number | null;
  readonly expireTimeUs: number | null;
}

/** The job continues in another state. */
export interface Continue {
  readonly kind: 'continue';
  readonly event: JobEvent;
  readonly run: OpenRun;
  readonly state: JobState;
  /** Another lane than the run's own only if the job became a suspect or stopped being one. */
  readonly laneId: number;
  readonly rank: number;
  readonly dueTimeUs: number | null;
  readonly attemptCount: number;
  readonly consecutiveLosses: number;
  readonly suspectLosses: number;
  readonly totalLosses: number;
  readonly failures: number;
  readonly releases: number;
  readonly releasesSinceUs: number | null;
  readonly suspensions: number;
  readonly deadlineUs: number | null;
  readonly timeoutsStopped: boolean;
  readonly suspension: Suspension | null;
  readonly begun: boolean;
  readonly pausedWithParent: boolean;
  readonly exhausted: boolean;
  readonly retriesSinceUs: number | null;
  readonly reason: string | null;
  /** PAUSED or BLOCKED, see `OpenRun`. Undefined: null. */
  readonly runTimeUs?: number | null | undefined;
  /** Undefined if the record stays as it is: set by updates only. */
  readonly record?: RecordChange | undefined;
  /** The watchdog's next window, after a check that found enough progress. */
  readonly watch?: { readonly untilUs: number; readonly fraction: number } | undefined;
  /** For a retry whose time has come: it may begin only if this budget has capacity, and is put off otherwise. */
  readonly retryBudget?: BudgetOf | undefined;
  /** Undefined if the attempt stays open (cancel, observe). */
  readonly closed?: ClosedAttempt | undefined;
  /** Set for a manual action. Undefined: not recorded. */
  readonly audit?: NewAuditRecord | undefined;
}

/** The clean-up job that follows another job; it is created with the end of that one. */
export interface Cleanup {
  readonly jobId: string;
  readonly laneId: number;
  readonly rank: number;
  readonly runTimeoutMs: number;
  readonly retryPolicy: RetryPolicy;
  /**
   * The other job's own span, which is the parent of this job's span, and its trace context if that one came without
   * one. Undefined: the other job has no span, and this job shares its parent.
   */
  readonly trace?: { readonly spanId: string; readonly traceparent: string } | undefined;
}

/** The job has ended. */
export interface End {
  readonly kind: 'end';
  readonly event: JobEvent;
  readonly run: OpenRun;
  readonly state: TerminalState;
  readonly attemptCount: number;
  /**
   * The limits leave no further attempt. The last one as it is closed if the job's retry policy pauses the job instead.
   */
  readonly exhausted?: ClosedAttempt | undefined;
  /** For a workflow or a wait that succeeded. */
  readonly result?: Payload | undefined;
  readonly failure?: Failure | undefined;
  readonly reason: string | null;
  /** Set if it ended CANCELLED. */
  readonly cancelStage?: CancelStage | undefined;
  /** Set if it ended SKIPPED. */
  readonly skipReason?: SkipReason | undefined;
  readonly cleanup?: Cleanup | undefined;
  /** The job has waited for a signal or an approval. */
  readonly leavesWait?: true;
  /** See `Continue`. */
  readonly audit?: NewAuditRecord | undefined;
}

export type Change = Continue | End;
