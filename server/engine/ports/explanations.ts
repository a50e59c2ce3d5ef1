/** Reads for explanations, besides the job and the sessions of its namespace. */
import type { KeyUse } from '../../domain/dispatch/limit-use.ts';
import type { Blockers } from '../../domain/explain/constraint.ts';
import type { Limit, OpenBreaker, PausedQueue } from '../../domain/explain/job-constraints.ts';
import type { CapacityInUse } from '../../domain/explain/worker-constraints.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import type { QueueName } from './queues.ts';
import type { WrittenStep } from './workflows.ts';

/** An open job, its lane, and the lane's gates. Times are microseconds on the database's clock. */
export interface ExplainedRun {
  readonly state: JobState;
  /** Number of the last attempt; 0: none yet. */
  readonly attempt: number;
  readonly laneId: number;
  readonly rank: number;
  readonly reason: string | null;
  /** Id of its key for a key limit; undefined: none. */
  readonly limitId: string | undefined;
  /** When it becomes ready, or may run once it is resumed. */
  readonly dueTimeUs: number | undefined;
  readonly pauseTimeUs: number | undefined;
  /** PAUSED after its last attempt. */
  readonly exhausted: boolean;
  /** The workflow or batch with which it is paused. Undefined: it is paused for itself. */
  readonly pausedWith: string | undefined;
  readonly assignTimeUs: number | undefined;
  readonly cancelTimeUs: number | undefined;
  /** When its previous attempt was closed; undefined: there was none. */
  readonly closeTimeUs: number | undefined;
  /** Last heartbeat of the session that holds it. */
  readonly beatTimeUs: number | undefined;
  readonly suspect: boolean;
  readonly atLimit: boolean;
  /** The lane's closed gates as bits, without limits; compared with those of other lanes. */
  readonly gates: number;
  readonly queue: PausedQueue | undefined;
  readonly breaker: OpenBreaker | undefined;
  readonly nowUs: number;
}

/** A lane of a queue with ready jobs, or with recent starts. */
export interface QueueLane {
  readonly laneId: number;
  readonly suspect: boolean;
  readonly atLimit: boolean;
  readonly gates: number;
  /** Jobs of the lane assigned within `windowUs`. */
  readonly starts: number;
}

export interface QueueLanes {
  /** Lanes with the most ready jobs first. */
  readonly lanes: readonly QueueLane[];
  /** There are more lanes. */
  readonly isCut: boolean;
  readonly windowUs: number;
}

/** Selects the jobs ahead of one: in these lanes, and, if it is deferred, those deferred at its key's limit. */
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

/** A limit with its remaining capacity. */
export type LimitOfJob = Omit<Limit, 'blockers' | 'isDeferred'>;

export interface LimitsOfJob {
  readonly limits: readonly LimitOfJob[];
  readonly nowUs: number;
}

/** A lane with waiting jobs, and its counts. */
export interface WaitingLane {
  readonly laneId: number;
  readonly ready: number;
  readonly scheduled: number;
  readonly paused: number;
  readonly blocked: number;
  /** The closed gate that holds back all of its ready jobs; undefined: they wait for limits, workers, or their turn. */
  readonly gate: 'queue_paused' | 'circuit_breaker' | 'key_limit' | undefined;
  /** A limit of its queue or its definition may hold them back. */
  readonly limited: boolean;
}

/** A step that is being compensated, and the job that does it. */
export interface RunningCompensation {
  readonly step: number;
  readonly jobId: string;
}

/** A started workflow; `running`: the first of its running steps, in their order. */
export interface ExplainedWorkflow {
  readonly run: WorkflowRun;
  readonly running: readonly WrittenStep[];
  readonly compensating: RunningCompensation | undefined;
}

/** The cost of each method is bounded. */
export interface ExplainStore {
  /** Undefined: the job is not open. */
  readRun(jobId: string): Promise<ExplainedRun | undefined>;
  /** Always includes `laneId`. */
  readQueueLanes(queue: QueueName, laneId: number, limit: number): Promise<QueueLanes>;
  /** Number of jobs ahead, counted up to `most`; undefined: the job is not ready. */
  countBefore(query: LineQuery, most: number): Promise<number | undefined>;
  /** The first jobs ahead, with their creation times. */
  readFirst(query: LineQuery): Promise<Blockers['list']>;
  /** Use of a key's limit; its held jobs are counted up to `maxHeld`. */
  readKeyUse(limitId: string, maxHeld: number): Promise<KeyUse>;
  /** Jobs that count against one limit, those held the longest first. */
  readLimitBlockers(query: LimitQuery, reason: LimitOfJob['reason']): Promise<Blockers['list']>;
  /** The suspects held by these sessions. */
  readSuspects(sessionIds: readonly string[], butJobId: string): Promise<Blockers>;
  /** The first of its running steps, in their order. */
  readRunningSteps(jobId: string, limit: number): Promise<WrittenStep[]>;
  readRunningCompensation(jobId: string): Promise<RunningCompensation | undefined>;
  /** Lanes with waiting jobs, those with the most first. */
  readWaitingLanes(limit: number): Promise<WaitingLane[]>;
}

/** Reads of several statements, each of bounded cost. */
export interface ExplainTransactions {
  /** All limits of the job, full or not: of its key, its definition, its queue. */
  readLimits(query: LimitQuery): Promise<LimitsOfJob>;
  /** Resources in use in the sessions, and which sessions have reservations for other lanes. */
  readCapacityInUse(laneId: number, sessionIds: readonly string[]): Promise<CapacityInUse>;
  /** Undefined: it has not started. */
  readWorkflow(jobId: string, steps: number): Promise<ExplainedWorkflow | undefined>;
}
