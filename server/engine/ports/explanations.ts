/** What an explanation asks of the store, besides the job and the sessions of its namespace. */
import type { Holders } from '../../domain/explain/constraint.ts';
import type { Limit, OpenBreaker, PausedQueue } from '../../domain/explain/job-constraints.ts';
import type { CapacityInUse } from '../../domain/explain/worker-constraints.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import type { QueueName } from './queues.ts';
import type { WrittenStep } from './workflows.ts';

/** An open job, its lane, and what holds the lane back. Times are microseconds on the database's clock. */
export interface ExplainedRun {
  readonly state: JobState;
  /** Number of the last attempt; 0: there was none. */
  readonly attempt: number;
  readonly laneId: number;
  readonly rank: number;
  readonly reason: string | null;
  /** Of its key for a key limit; undefined: none. */
  readonly limitId: string | undefined;
  /** When it goes on, or may run once it is resumed. */
  readonly dueTimeUs: number | undefined;
  readonly pauseTimeUs: number | undefined;
  readonly assignTimeUs: number | undefined;
  readonly cancelTimeUs: number | undefined;
  /** When its last attempt before was closed; undefined: there was none. */
  readonly closeTimeUs: number | undefined;
  /** Of the session that has it. */
  readonly beatTimeUs: number | undefined;
  readonly suspect: boolean;
  readonly atLimit: boolean;
  /** Why nothing is assigned from its lane, as bits, limits left out: for comparison with other lanes. */
  readonly gates: number;
  readonly queue: PausedQueue | undefined;
  readonly breaker: OpenBreaker | undefined;
  readonly nowUs: number;
}

/** A lane of a queue that has ready jobs, or had jobs started lately. */
export interface QueueLane {
  readonly laneId: number;
  readonly suspect: boolean;
  readonly atLimit: boolean;
  readonly gates: number;
  /** Jobs of it that were assigned in the time that `windowUs` says. */
  readonly starts: number;
}

export interface QueueLanes {
  /** Those with most ready jobs first. */
  readonly lanes: readonly QueueLane[];
  /** There are more. */
  readonly isCut: boolean;
  readonly windowUs: number;
}

/** Which jobs stand before one: of these lanes, and those that wait at the limit of its key, where it does. */
export interface LineQuery {
  readonly jobId: string;
  readonly laneIds: readonly number[];
  readonly ofKey: boolean;
}

export interface LimitQuery {
  readonly namespace: string;
  readonly queue: string;
  readonly definition: string;
  readonly queueBucketId: string;
  readonly definitionBucketId: string;
  readonly limitId: string | undefined;
}

/** A limit and what it has to give. */
export type LimitOfJob = Omit<Limit, 'holders' | 'isDeferred'>;

export interface LimitsOfJob {
  readonly limits: readonly LimitOfJob[];
  readonly nowUs: number;
}

/** A lane with jobs that wait, and what its row says of that. */
export interface WaitingLane {
  readonly laneId: number;
  readonly ready: number;
  readonly scheduled: number;
  readonly paused: number;
  readonly blocked: number;
  /** What holds all of its ready jobs back; undefined: its limits, workers, or the order of the line. */
  readonly gate: 'queue_paused' | 'circuit_breaker' | 'key_limit' | undefined;
  /** A limit of its queue or its definition may hold them back. */
  readonly limited: boolean;
}

/** A workflow that was started; `running`: the first of the steps that run, in their order. */
export interface ExplainedWorkflow {
  readonly run: WorkflowRun;
  readonly running: readonly WrittenStep[];
  /** The step that is being taken back, and by which job. */
  readonly compensating: { readonly step: number; readonly jobId: string } | undefined;
}

/** Each is a few statements of bounded cost. */
export interface ExplainStore {
  /** Undefined: it is not open. */
  readRun(jobId: string): Promise<ExplainedRun | undefined>;
  /** `laneId` is among them whatever it has. */
  readQueueLanes(queue: QueueName, laneId: number, limit: number): Promise<QueueLanes>;
  /** Jobs that stand before it, counted up to `most`; undefined: it is not ready. */
  countBefore(query: LineQuery, most: number): Promise<number | undefined>;
  /** The first of them, with the time at which each was made. */
  readFirst(query: LineQuery): Promise<Holders['list']>;
  /** Those that the job is subject to, whether they have room or not: of its key, its definition, its queue. */
  readLimits(query: LimitQuery): Promise<LimitsOfJob>;
  /** Jobs that count against one of them, those that workers have had for longest first. */
  readLimitHolders(query: LimitQuery, reason: LimitOfJob['reason']): Promise<Holders['list']>;
  /** Of each session the suspect that it has. */
  readSuspects(sessionIds: readonly string[], butJobId: string): Promise<Holders>;
  /** What the sessions hold, and which of them are kept free for other lanes than this one. */
  readCapacityInUse(laneId: number, sessionIds: readonly string[]): Promise<CapacityInUse>;
  /** Undefined: nothing has been done of it yet. */
  readWorkflow(jobId: string, steps: number): Promise<ExplainedWorkflow | undefined>;
  /** Lanes with jobs that wait, those with most of them first. */
  readWaitingLanes(limit: number): Promise<WaitingLane[]>;
}
