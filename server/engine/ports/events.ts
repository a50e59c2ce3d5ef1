/** What is told of jobs to whoever listens: changes of their states, on their way from the outbox to the bus. */

import type { Failure } from '../../domain/base/payload.ts';
import type { WaitReason } from '../../domain/explain/wait-reasons.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';

/** A change of a job. ASSIGNED and RUNNING are entered without one: they would double what is written for each job. */
export interface JobChange {
  /** Of the job, after the change. */
  readonly revision: number;
  /** The attempt that the change belongs to; 0: none. */
  readonly attempt: number;
  /** Undefined: the job was made. */
  readonly previousState: JobState | undefined;
  readonly state: JobState;
  /** What the job waits for in its new state, where that and its lane say it. */
  readonly waitReason?: WaitReason | undefined;
  /** Why the job or the attempt did not succeed: without stack trace, details and causes, which the job's record has. */
  readonly failure: Failure | undefined;
}

/** The same change of many jobs, as most of what one statement does is. */
export interface ChangeOfMany extends JobChange {
  /** Sixteen bytes each: tens of thousands pass through here in a second, and nobody looks at them. */
  readonly jobIds: Uint8Array;
}

/** What one statement did, as the outbox holds it. */
export interface OutboxRow {
  readonly rowId: number;
  /** On the database's clock. */
  readonly eventTimeUs: number;
  /** The lane says namespace and definition. */
  readonly changes: readonly (ChangeOfMany & { readonly laneId: number })[];
}

/** What is to be told of jobs: rows that `submit`, `complete` and `change` write in the transactions that move jobs. */
export interface Outbox {
  /**
   * The oldest rows, in their order, if it is this relay's turn, which it then is for so long, or until it has finished. At
   * most 256, and no more once their job ids have reached `maxBytes`. Undefined: it is another relay's turn.
   */
  take(relayId: string, maxBytes: number, forMs: number): Promise<OutboxRow[] | undefined>;
  /** Deletes rows, and ends the relay's turn. */
  finish(relayId: string, rowIds: readonly number[]): Promise<void>;
  /** Deletes those of the 256 oldest rows that are older, and returns how many events went with them. */
  dropOlder(olderThanMs: number): Promise<number>;
}

/** Events of one outbox row and one namespace. */
export interface EventBatch {
  /** The same however often the row is published, and of no other batch. */
  readonly batchId: string;
  readonly namespace: string;
  readonly eventTimeUs: number;
  readonly changes: readonly (ChangeOfMany & { readonly definition: string })[];
}

/** One change of one job as it is told. */
export interface PublishedEvent extends JobChange {
  readonly jobId: string;
  readonly namespace: string;
  readonly definition: string;
  readonly eventTimeUs: number;
}
