/** Jobs, as callers read and change them. */

import type { Failure, Payload } from '../../domain/base/payload.ts';
import type { WaitReason } from '../../domain/explain/wait-reasons.ts';
import type { CancelStage } from '../../domain/jobs/cancel-stage.ts';
import type { JobFilter } from '../../domain/jobs/job-filter.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { Progress } from '../../domain/jobs/progress.ts';
import type { AttemptOutcome, Change, Continue, End, OpenRun, SkipReason } from '../../domain/jobs/run.ts';
import type { JobDeadline } from '../../domain/jobs/soft-deadline.ts';
import type { RetryPolicy } from '../../domain/retries/retry-policy.ts';
import type { AttemptKey, NotedReport } from './attempts.ts';

/** An ended job, with the fields for making another one like it. */
export interface EndedJob {
  readonly jobId: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  /** Canonical text; set if the submission overrode the definition's. */
  readonly demands: string | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly runTimeoutMs: number;
  /** Undefined: none. A retry gets the same key, even one computed by the definition. */
  readonly fairnessKey: string | undefined;
  /** Its data has been erased. */
  readonly erased: boolean;
  /** Another job retries it. */
  readonly retried: boolean;
}

export interface Erasure {
  readonly namespace: string;
  readonly jobId: string;
  readonly reason: string;
  /** Id of the audit record, if one is written. */
  readonly auditId: string;
}

/** The record of a job. */
export interface LockedRecord {
  readonly namespace: string;
  readonly idempotencyKey: string | undefined;
  /** Undefined: it was not erased. */
  readonly eraseAuditId: string | undefined;
}

export interface JobEnd {
  /** Undefined: it has ended. */
  readonly openState: JobState | undefined;
  /** Undefined: it is open. */
  readonly state: JobState | undefined;
  readonly failure: Failure | undefined;
  readonly cleanupJobId: string | undefined;
}

export interface ErasedData extends Erasure {
  readonly idempotencyKey: string | undefined;
  /** Replaces the failure of a job that has one. */
  readonly failure: Failure | undefined;
}

export type Erased =
  | { readonly kind: 'missing' }
  /** With `cleanupJobId` the job has ended, but its clean-up job, which has a copy of its input, has not. */
  | { readonly kind: 'open'; readonly state: JobState; readonly cleanupJobId?: string | undefined }
  /** `auditId`: the first audit record. */
  | { readonly kind: 'erased'; readonly auditId: string };

export interface JobName {
  readonly namespace: string;
  readonly jobId: string;
}

/** A page of the jobs that match a filter, newest first. */
export interface JobQuery {
  readonly namespace: string;
  readonly filter: JobFilter;
  /** `nextBeforeJobId` of the page before; undefined for the first page. */
  readonly beforeJobId: string | undefined;
  /** Max jobs on the page, up to 1,000; fewer if their labels and failures exceed 2 MiB. */
  readonly limit: number;
  /** Max records scanned for the page, approximately. */
  readonly scanLimit: number;
}

export interface JobPage {
  /** Without attempts; the data of inputs and results is empty. */
  readonly jobs: readonly JobView[];
  /** Start of the next page, also if this one is short or empty. Undefined: this was the last. */
  readonly nextBeforeJobId: string | undefined;
}

export interface AttemptView {
  readonly attempt: number;
  readonly sessionId: string;
  readonly workerName: string;
  readonly outcome: AttemptOutcome | undefined;
  readonly counted: boolean;
  readonly assignTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  readonly failure: Failure | undefined;
  /** The job was paused without a further one: what comes after it is counted anew. */
  readonly exhausted: boolean;
  /** What its handler reported after it had been closed, which was refused. */
  readonly late?: Pick<NotedReport, 'outcome' | 'timeUs'> | undefined;
}

/** A job as shown to callers. */
export interface JobView {
  readonly jobId: string;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly state: JobState;
  readonly reason: string;
  /** Undefined: the job was not skipped. */
  readonly skipReason?: SkipReason | undefined;
  /** Why it waits, as far as known from this read. */
  readonly waitReason: WaitReason | undefined;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  readonly progress: Progress | undefined;
  readonly attempt: number;
  readonly attemptCount: number;
  readonly createTimeUs: number;
  readonly runTimeUs: number | undefined;
  readonly expireTimeUs: number | undefined;
  readonly assignTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  /** Its handler was asked to stop until then. */
  readonly suspendTimeUs: number | undefined;
  /** By when it should have ended, and when it was found that it had not. */
  readonly softDeadlineUs: number | undefined;
  readonly softDeadlineMissUs?: number | undefined;
  /** Undefined: no cancel was requested. */
  readonly cancellation:
    | {
        readonly stage: CancelStage;
        readonly reason: string;
        readonly requestTimeUs: number | undefined;
      }
    | undefined;
  /** The job that cleans up after it. */
  readonly cleanupJobId: string | undefined;
  readonly result: Payload | undefined;
  readonly failure: Failure | undefined;
  readonly sessionId: string | undefined;
  readonly idempotencyKey: string;
  readonly retryOf: string | undefined;
  readonly parentJobId: string | undefined;
  readonly fairnessKey: string;
  readonly limitKey: string;
  readonly traceparent: string;
  readonly revision: number;
  /** Its data was erased on demand. */
  readonly erased: boolean;
  /** PAUSED after its last attempt. */
  readonly exhausted: boolean;
  readonly attempts: readonly AttemptView[];
}

/**
 * A job as one statement reads it: without attempts, whether it missed its soft deadline, and the reason for which its
 * lane is gated.
 */
export interface ListedJob {
  readonly view: JobView;
  /** Lane of its run. */
  readonly laneId: number;
  /** The lane may be gated for a reason that the job itself does not show. */
  readonly mayBeGated: boolean;
}

export interface JobRecord extends ListedJob {
  /**
   * The open attempt, or the one that ended the job; undefined: the job is between two. `counted`: it counts unless
   * earlier attempts make up the job's count.
   */
  readonly last: AttemptView | undefined;
}

/** Where the ids of a list come from. */
export type JobSource = 'by_state' | 'by_lane' | 'by_parent' | 'by_deadline' | 'of_all';

/** One scan of a list of jobs: a page takes one or more. */
export interface JobScan {
  readonly query: JobQuery;
  readonly states: readonly JobState[];
  readonly source: JobSource;
  /** Only for the source by lane. */
  readonly laneIds: readonly number[];
  /** Scans ids from this one on, and below `beforeId`. */
  readonly lowestId: string;
  readonly beforeId: string;
  /** Max jobs found, their max bytes, and max records scanned, approximately. */
  readonly jobs: number;
  readonly bytes: number;
  readonly records: number;
}

export interface ScannedJobs {
  /** Newest first, within the bounds of the scan. */
  readonly jobs: readonly ListedJob[];
  readonly bytes: number;
  readonly scanned: number;
  /** The id before which the scan continues; undefined: there is nothing more. */
  readonly resumeId: string | undefined;
  /** More of the scanned jobs match than the bounds allow. */
  readonly cut: boolean;
}

export interface JobSelection {
  readonly by: 'jobs';
  readonly namespace: string;
  readonly jobIds: readonly string[];
}

/** Selects the open jobs that a change locks and loads. */
export type Selection =
  | { readonly by: 'attempts'; readonly attempts: readonly AttemptKey[] }
  | JobSelection
  | { readonly by: 'session'; readonly sessionId: string; readonly limit: number }
  /** `latestUs`: no later time counts as the present one, whatever the database's clock says. */
  | { readonly by: 'due'; readonly limit: number; readonly latestUs: number }
  /** Ready jobs of lanes of workflows or waits, lowest rank first, without gated lanes. */
  | { readonly by: 'workflows'; readonly laneIds: readonly number[]; readonly limit: number };

export type Decide = (run: OpenRun, nowUs: number) => Change | undefined;

export interface LockedRuns {
  readonly runs: readonly OpenRun[];
  /** 0 if there are no runs. */
  readonly nowUs: number;
}

/** A job that has missed its soft deadline. */
export interface MissedDeadline extends JobName, Omit<JobDeadline, 'timeUs'> {
  readonly laneId: number;
  readonly state: JobState;
  /** Undefined: it ended too late, before anybody looked. */
  readonly rank: number | undefined;
}

/** A missed soft deadline. */
export interface DeadlineMiss {
  /** When it was found. */
  readonly timeUs: number;
  /** The first revision of the job that shows it. */
  readonly revision: number;
}

export interface ClosedDeadlines {
  /** Those that were met are counted too. */
  readonly count: number;
  readonly missed: readonly MissedDeadline[];
}

/** Reads and changes of jobs. */
export interface JobStore {
  /**
   * Within `together`: locks open jobs and loads them. In the order of their ids, except for jobs that are due, and for
   * workflows: it skips those that others have locked.
   */
  lockRuns(selection: Selection): Promise<LockedRuns>;
  /** Stores the attempts that the changes close. The caller has locked the jobs, for this and all writes below. */
  writeAttempts(changes: readonly Continue[]): Promise<void>;
  writeContinues(changes: readonly Continue[]): Promise<void>;
  /**
   * Moves the jobs to the ended ones, and notifies those who wait for their ends. Resolves with whether some trigger is
   * about ends of jobs.
   */
  writeEnds(changes: readonly End[]): Promise<boolean>;
  /** Stores the changes of records. Fails like a serialization failure if a record has changed since it was read. */
  updateRecords(changes: readonly Continue[]): Promise<void>;
  /** Stores the clean-up jobs of cancelled ones. */
  insertCleanups(ends: readonly End[]): Promise<void>;
  /**
   * Looks at the soft deadlines that have passed, the earliest ones first, and notes which of their jobs have missed
   * them, with an event for each: those that are open, which stay locked, and those that ended later. Each is looked at
   * once. It leaves those out whose jobs others have locked. `latestUs`: no later time counts as the present one,
   * whatever the database's clock says.
   */
  closePassedDeadlines(limit: number, latestUs: number): Promise<ClosedDeadlines>;
  /** The misses of the soft deadlines of these jobs that were found, by job. */
  readDeadlineMisses(jobIds: readonly string[]): Promise<ReadonlyMap<string, DeadlineMiss>>;
  /** Earliest due time of all jobs, if any. */
  nextDueUs(): Promise<number | undefined>;
  /** Without missing jobs, in any order. At most 1,000. */
  readJobRecords(names: readonly JobName[]): Promise<JobRecord[]>;
  /** Attempts closed before the last one, in their order; at most 99 of each job. */
  readAttempts(jobIds: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptView[]>>;
  /** Lanes of the jobs that match the filter. Undefined: they are too many to be merged. */
  findListedLanes(query: JobQuery): Promise<readonly number[] | undefined>;
  scanJobs(scan: JobScan): Promise<ScannedJobs>;
  /** In the order of the ids; undefined for a missing job. At most 1,000. */
  readRevisions(jobIds: readonly string[]): Promise<(number | undefined)[]>;
  /** Which of these jobs have ended. */
  findEnded(jobIds: readonly string[]): Promise<string[]>;
  /** In the order of the ids, without open or missing jobs. */
  readEndedJobs(namespace: string, jobIds: readonly string[]): Promise<EndedJob[]>;
  /** Within `together`: locks the record of a job, so that a second caller sees the first one's erasure. */
  lockRecord(jobId: string): Promise<LockedRecord | undefined>;
  readEnd(jobId: string): Promise<JobEnd>;
  /** Erases the data of an ended job, and writes the audit record. The caller has locked the record. */
  eraseData(data: ErasedData): Promise<void>;
}

export interface JobTransactions {
  /** Erases the data of an ended job and writes the audit record; no effect if it was erased before. */
  eraseJob(erasure: Erasure): Promise<Erased>;
  /** Locks, loads, asks `decide` for each, writes, commits. Returns the changes. */
  change(selection: Selection, decide: Decide): Promise<Change[]>;
  readJob(namespace: string, jobId: string): Promise<JobView | undefined>;
  /** In the order of the names; undefined for a missing job. At most 1,000. */
  readJobs(names: readonly JobName[]): Promise<(JobView | undefined)[]>;
  listJobs(query: JobQuery): Promise<JobPage>;
}
