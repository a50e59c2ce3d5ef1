/** Job state-change events on their way from the outbox to the bus, and reads for traces. */

import type { Failure } from '../../domain/base/payload.ts';
import type { TracedJob, TracedStep } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';
import type { WaitReason } from '../../domain/explain/wait-reasons.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { JobRecord } from './jobs.ts';

/** A change of a job. ASSIGNED and RUNNING are not recorded: they would double the writes per job. */
export interface JobChange {
  /** The job's revision after the change. */
  readonly revision: number;
  /** The attempt that the change belongs to; 0: none. */
  readonly attempt: number;
  /** Undefined: the job was made. */
  readonly previousState: JobState | undefined;
  readonly state: JobState;
  /** Why the job waits in its new state, if the state and its lane determine it. */
  readonly waitReason?: WaitReason | undefined;
  /** Why the job or the attempt did not succeed; stack trace, details and causes are only in the job's record. */
  readonly failure: Failure | undefined;
}

/** The same change of many jobs: most statements make the same change to all of theirs. */
export interface ChangeOfMany extends JobChange {
  /** Sixteen bytes per id, packed for speed: tens of thousands pass through per second. */
  readonly jobIds: Uint8Array;
}

/** The changes of one statement, as stored in the outbox. */
export interface OutboxRow {
  readonly rowId: number;
  /** On the database's clock. */
  readonly eventTimeUs: number;
  /** The lane determines namespace and definition. */
  readonly changes: readonly (ChangeOfMany & { readonly laneId: number })[];
}

/** The outbox: rows written by `submit`, `complete` and `change` in the transactions that change jobs. */
export interface Outbox {
  /**
   * Takes the turn, for up to `forMs` or until `finish`, and returns the oldest rows in their order: at most 256, and
   * no more once their job ids have reached `maxBytes`. Undefined: another relay has the turn.
   */
  take(relayId: string, maxBytes: number, forMs: number): Promise<OutboxRow[] | undefined>;
  /** Deletes rows, and ends the relay's turn. */
  finish(relayId: string, rowIds: readonly number[]): Promise<void>;
  /** Deletes rows older than this among the 256 oldest. Returns the number of their events. */
  dropOlder(olderThanMs: number): Promise<number>;
}

/** Events of one outbox row and one namespace. */
export interface EventBatch {
  /** The same each time the row is published, and unique to this batch. */
  readonly batchId: string;
  readonly namespace: string;
  readonly eventTimeUs: number;
  readonly changes: readonly (ChangeOfMany & { readonly definition: string })[];
}

/** One change of one job, as published. */
export interface PublishedEvent extends JobChange {
  readonly jobId: string;
  readonly namespace: string;
  readonly definition: string;
  readonly eventTimeUs: number;
}

/** A step that another one needs. */
export interface NeededStep extends TracedStep {
  /** The id of the job that needs it. */
  readonly of: string;
  /** Max jobs to return, if it has one for each item. */
  readonly most: number;
}

export interface NeededJob extends TraceOrigin {
  readonly of: string;
}

export interface StepTraces {
  /** By job, without missing ones. At most 1,000. */
  readLaneIds(jobIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Jobs of these steps, including adopted ones: the last of a loop, the first of a fan-out. At most 1,000 steps. */
  readNeededJobs(needs: readonly NeededStep[]): Promise<NeededJob[]>;
}

/** A job, with the fields of its spans that its view does not show. */
export interface TraceRecord extends Pick<TracedJob, 'retryOf' | 'step' | 'dependsOn' | 'cached'> {
  readonly job: JobRecord;
}

/** Reads for the spans of jobs. */
export interface TraceStore {
  /** Data for the ids of the jobs' spans, without missing jobs, in any order. At most 1,000. */
  readTraceOrigins(jobIds: readonly string[]): Promise<TraceOrigin[]>;
  /** Without inputs, results and missing jobs, in any order. At most 1,000. */
  readTraceRecords(jobIds: readonly string[]): Promise<TraceRecord[]>;
}

export interface TraceTransactions {
  /** Data for the jobs' spans, without missing jobs, in any order. At most 1,000. */
  readTracedJobs(jobIds: readonly string[]): Promise<TracedJob[]>;
}
