/** Attempts, as passed between engine and store. */
import type { Payload } from '../../domain/base/payload.ts';
import type { ProgressCounts } from '../../domain/jobs/progress.ts';
import type { ClaimedJob } from './dispatch.ts';
import type { QueueName } from './queues.ts';

/** An attempt closed with a result. */
export interface CompletedAttempt extends AttemptKey {
  readonly laneId: number;
  readonly assignTimeUs: number;
  readonly limitId: string | undefined;
  /** Its end concerns others: jobs depend on it, or it publishes assets. */
  readonly notifiesDependents: boolean;
  /** The workflow's job, if it belongs to a step. */
  readonly parentJobId?: string | undefined;
}

/** An attempt held by a session, according to the store. */
export interface HeldRun extends AttemptKey {
  readonly laneId: number;
  readonly state: 'ASSIGNED' | 'RUNNING' | 'CANCELLING';
  readonly creditId: number;
  readonly assignTimeUs: number;
  /** Its handler was asked to stop until then. */
  readonly suspendUntilUs: number | undefined;
}

/** A page of the held jobs of a queue. */
export interface HeldPage {
  readonly afterJobId: string | undefined;
  readonly limit: number;
  /** Only those whose handlers were asked to stop. */
  readonly suspended: boolean;
}

/** An attempt whose result must be checked; the lane has the definition. */
export interface UncheckedAttempt extends AttemptKey {
  readonly laneId: number;
}

export interface ProgressChange extends AttemptKey {
  readonly sequence: number;
  readonly fraction: number | undefined;
  readonly message: string | undefined;
  readonly counts?: ProgressCounts | undefined;
  /** Total extension of the run timeout requested by the handler, in ms. */
  readonly extensionMs?: number | undefined;
  readonly checkpoint: Payload | undefined;
}

/** How an attempt that is no longer open was closed. */
export interface ClosedRecord {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly outcome: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'SUSPENDED' | 'OTHER';
  /** Closed without a result or a failure. STOPPED: after a request to stop, whatever the report's wording. */
  readonly givenBack: 'RELEASED' | 'ABORTED' | 'STOPPED' | undefined;
  readonly result: Payload | undefined;
  /** JSON text as made by `failureText`. */
  readonly failure: string | undefined;
}

/** A result that came after its attempt had been closed. */
export interface LateReport {
  readonly jobId: string;
  readonly attempt: number;
  readonly outcome: 'SUCCEEDED' | 'FAILED';
}

/** A late report on record. */
export interface NotedReport extends LateReport {
  readonly timeUs: number;
}

export interface AttemptKey {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
}

/** A report that an attempt returned a result. */
export interface Completion {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly result: Payload;
}

export interface WrittenCompletions {
  readonly completed: CompletedAttempt[];
  /** Ids of completed jobs that may have a checkpoint. */
  readonly progressed: readonly string[];
  /** Some trigger is about ends of jobs. */
  readonly watched: boolean;
}

/** Open attempts and their reports. */
export interface AttemptStore {
  /** Completes attempts. Locks their jobs in the order of the ids. See `complete`. */
  writeCompletions(completions: readonly Completion[], checked: boolean): Promise<WrittenCompletions>;
  /** Also those whose transaction the completion has waited for. */
  deleteCheckpoints(jobIds: readonly string[]): Promise<void>;
  /** Which of these attempts are open and have a result that must be checked. */
  readUnchecked(attempts: readonly AttemptKey[]): Promise<UncheckedAttempt[]>;
  readClosed(attempts: readonly AttemptKey[]): Promise<ClosedRecord[]>;
  /** Keeps the first of each attempt. */
  noteLateReports(reports: readonly LateReport[]): Promise<void>;
  /** By job; of each job those of its last 100 attempts. */
  readLateReports(jobIds: readonly string[]): Promise<ReadonlyMap<string, readonly NotedReport[]>>;
  /** ASSIGNED and CANCELLING attempts of a session; RUNNING ones too when `whole`. At most 10,000. */
  readHeld(sessionId: string, whole: boolean): Promise<HeldRun[]>;
  /** Jobs of a queue whose attempts are open, but for clean-ups, in the order of their ids. */
  readHeldOfQueue(queue: QueueName, page: HeldPage): Promise<string[]>;
  /** Builds the assignments again for attempts that a session should hold. */
  readAssigned(attempts: readonly AttemptKey[]): Promise<ClaimedJob[]>;
  /** ASSIGNED attempts whose handler has started become RUNNING. */
  observe(attempts: readonly AttemptKey[], ownUs: number): Promise<void>;
  saveProgress(changes: readonly ProgressChange[], ownUs: number): Promise<void>;
}

export interface AttemptTransactions {
  /**
   * Returns the attempts that were open and are now completed. Others were not held by the session, or have results
   * that must be checked first and are not marked `checked`.
   */
  complete(completions: readonly Completion[], checked?: boolean): Promise<CompletedAttempt[]>;
}
