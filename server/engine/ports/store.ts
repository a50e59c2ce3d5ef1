/** The store's port: each method is one transaction and takes batches. */
import type { Offer } from '../../domain/definitions/compatibility.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import type { TracedJob } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';
import type { SessionEnd } from '../../domain/jobs/decide.ts';
import type { Change } from '../../domain/jobs/run.ts';
import type {
  AttemptKey,
  ClosedRecord,
  CompletedAttempt,
  Completion,
  HeldRun,
  ProgressChange,
  UncheckedAttempt,
} from './attempts.ts';
import type { AuditQuery, AuditRecord } from './audit.ts';
import type { BatchStore } from './batches.ts';
import type { BreakerChange, BreakerKey, BreakerPage, DecideBreaker, OpenBreaker, ProbeClaim } from './breakers.ts';
import type { AppliedDefinition, DefinitionPage, DefinitionQuery } from './definitions.ts';
import type { DependencyStore } from './dependencies.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit } from './dispatch.ts';
import type { Outbox } from './events.ts';
import type { ExplainStore } from './explanations.ts';
import type { InboxStore } from './inbox.ts';
import type { Decide, EndedJob, Erased, Erasure, JobName, JobPage, JobQuery, JobView, Selection } from './jobs.ts';
import type { Lane, LaneHead } from './lanes.ts';
import type { LaneUnderLimits, Requeued } from './limits.ts';
import type { AttemptLog, LogPage, LogQuery } from './logs.ts';
import type { QueueStore } from './queues.ts';
import type { ScheduleStore } from './schedules.ts';
import type { Beat, HeldJob, Lapse, NewSession, Renewal, SessionRow, WorkerView } from './sessions.ts';
import type { SignalWaitStore } from './signals.ts';
import type { StepCacheStore } from './step-cache.ts';
import type { SubmitCall, SubmitResult } from './submissions.ts';
import type { StepTraces } from './traces.ts';
import type { WorkflowReads, WorkflowStore } from './workflows.ts';

export interface Store extends StoreParts {
  nowUs(): Promise<number>;
  /** Runs `work` in one transaction, through the given store; an error rolls all of it back. */
  together<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /**
   * Within `together`: whether this is the first call with the id. A concurrent one waits. `reused`: another call used
   * the id.
   */
  takeRequestId(namespace: string, request: RequestKey): Promise<'first' | 'repeat' | 'reused'>;
  /** Stores the page for repeats of the call. Returns the stored one. */
  keepPage(namespace: string, request: RequestKey, page: KeptPage): Promise<KeptPage | 'reused'>;
  applyDefinition(
    definition: JobDefinition,
    contentHash: Uint8Array,
    validateOnly: boolean,
  ): Promise<AppliedDefinition>;
  /** Version 0 is the newest. */
  readDefinition(namespace: string, name: string, version: number): Promise<JobDefinition | undefined>;
  /** The newest version with this content. */
  findDefinition(namespace: string, name: string, contentHash: Uint8Array): Promise<JobDefinition | undefined>;
  /** The newest version of each, by name. */
  listDefinitions(query: DefinitionQuery): Promise<DefinitionPage>;
  /** Archives all versions and returns the newest; undefined when there is none of this name. */
  archiveDefinition(namespace: string, name: string): Promise<JobDefinition | undefined>;
  /** Offers of open sessions that do not drain; at most 1,000. */
  listOffers(namespace: string): Promise<Offer[]>;
  /**
   * Versions below `version` that have open jobs, newest first. At most 20, found in bounded time: some may be missed.
   */
  readOpenVersions(namespace: string, name: string, version: number): Promise<number[]>;
  /** The lane with this key. `breaker` is the circuit breaker that may gate it. */
  findLane(key: LaneKey, breaker?: string): Promise<number | undefined>;
  /** As `findLane`; makes the lane, and its queue, if missing. */
  ensureLane(key: LaneKey, breaker?: string): Promise<number>;
  readLanes(laneIds: readonly number[]): Promise<Lane[]>;
  /** Lowest rank of each lane with ready jobs and open gates; at most 5,000 lanes. */
  readHeads(): Promise<LaneHead[]>;
  /**
   * Results in the order of the calls. At most 1,000 jobs together, unless there is only one call. A job with a permit
   * is assigned as it is stored, if the session is open and the lane not gated. Only jobs of calls without keys may
   * have permits.
   */
  submit(
    calls: readonly SubmitCall[],
    permits?: ReadonlyMap<string, Permit>,
    limited?: LaneUnderLimits,
  ): Promise<SubmitResult[]>;
  /** The result of an earlier call with the request id; undefined: there was none. */
  findSubmission(call: Pick<SubmitCall, 'namespace' | 'requestId' | 'bodyHash'>): Promise<SubmitResult | undefined>;
  /** Which of these idempotency keys belong to a job. */
  findOwnedKeys(namespace: string, keys: readonly string[]): Promise<string[]>;
  /** Which of these jobs are stored; settles a commit whose answer was lost. */
  findJobs(jobIds: readonly string[]): Promise<string[]>;
  /** Assigns ready jobs to permits. */
  claim(claim: Claim): Promise<ClaimResult>;
  /** Keeps the reservations of lanes whose jobs are ready. */
  renewReservations(): Promise<void>;
  /**
   * Moves jobs deferred at these keys' limits back to the ready ones, as far as there is capacity. At most 500 keys.
   */
  requeueDeferred(limitIds: readonly string[]): Promise<Requeued>;
  /** Keys with marked ready jobs, in the order of their ids, after `afterLimitId`. */
  readWaitingKeys(afterLimitId: string, limit: number): Promise<string[]>;
  /**
   * Locks breakers, asks `decide` for each, writes, and gates or reopens their lanes. `make`: creates missing ones
   * first.
   */
  changeBreakers(keys: readonly BreakerKey[], decide: DecideBreaker, make?: boolean): Promise<BreakerChange>;
  /** By name. */
  listBreakers(namespace: string, afterName: string, limit: number): Promise<BreakerPage>;
  /** Breakers that are not closed; at most 500. */
  readOpenBreakers(): Promise<OpenBreaker[]>;
  /** Lanes gated by this breaker only, with their lowest ranks; at most 100. */
  readLanesToProbe(key: BreakerKey): Promise<LaneHead[]>;
  /** Claims one job as the breaker's probe, if the breaker is open and a probe is due. */
  probeBreaker(key: BreakerKey, claim: ProbeClaim): Promise<ClaimedJob | undefined>;
  /** Corrects gates that differ from their breakers' states. Returns the heads of reopened lanes. */
  alignGatedLanes(): Promise<LaneHead[]>;
  /**
   * Returns the attempts that were open and are now completed. Others were not held by the session, or have results
   * that must be checked first and are not marked `checked`.
   */
  complete(completions: readonly Completion[], checked?: boolean): Promise<CompletedAttempt[]>;
  /** Which of these attempts are open and have a result that must be checked. */
  readUnchecked(attempts: readonly AttemptKey[]): Promise<UncheckedAttempt[]>;
  readClosed(attempts: readonly AttemptKey[]): Promise<ClosedRecord[]>;
  /** Locks, loads, asks `decide` for each, writes, commits. Returns the changes. */
  change(selection: Selection, decide: Decide): Promise<Change[]>;
  /** Earliest due time of all jobs, if any. */
  nextDueUs(): Promise<number | undefined>;
  openSession(session: NewSession): Promise<SessionRow>;
  renewSessions(beats: readonly Beat[], leaseMs: number): Promise<Renewal[]>;
  readSessions(sessionIds: readonly string[]): Promise<SessionRow[]>;
  listSessions(namespace: string, afterSessionId: string, limit: number): Promise<WorkerView[]>;
  readWorker(namespace: string, sessionId: string): Promise<WorkerView | undefined>;
  /** Attempts held by a session, held longest first. */
  readHeldJobs(sessionId: string, limit: number): Promise<HeldJob[]>;
  /** Once it resolves, nothing more is assigned to the session. No effect unless the session is open. */
  drainSession(namespace: string, sessionId: string): Promise<void>;
  /** ASSIGNED and CANCELLING attempts of a session; RUNNING ones too when `whole`. At most 10,000. */
  readHeld(sessionId: string, whole: boolean): Promise<HeldRun[]>;
  /** Builds the assignments again for attempts that a session should hold. */
  readAssigned(attempts: readonly AttemptKey[]): Promise<ClaimedJob[]>;
  /** ASSIGNED attempts whose handler has started become RUNNING. */
  observe(attempts: readonly AttemptKey[]): Promise<void>;
  saveProgress(changes: readonly ProgressChange[]): Promise<void>;
  /** At most one log per attempt and session. Skips stored records, and attempts that are not open in their session. */
  saveLogs(logs: readonly AttemptLog[]): Promise<void>;
  /** The log of a job in any namespace. */
  readLogs(query: LogQuery): Promise<LogPage>;
  /**
   * OPEN sessions become CLOSING; with `lapsedForMs` only those whose lease, read under the lock, ended that long ago.
   */
  closeSessions(sessionIds: readonly string[], how: SessionEnd, lapsedForMs?: number): Promise<string[]>;
  /** CLOSING sessions without attempts become CLOSED. */
  endSessions(sessionIds: readonly string[]): Promise<string[]>;
  readLapse(): Promise<Lapse>;
  readJob(namespace: string, jobId: string): Promise<JobView | undefined>;
  /** In the order of the names; undefined for a missing job. At most 1,000. */
  readJobs(names: readonly JobName[]): Promise<(JobView | undefined)[]>;
  /** By job, without missing jobs; undefined: no worker that got it is known. At most 1,000. */
  readLastWorkers(namespace: string, jobIds: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  /** Data for the ids of the jobs' spans, without missing jobs, in any order. At most 1,000. */
  readTraceOrigins(jobIds: readonly string[]): Promise<TraceOrigin[]>;
  /** Data for the jobs' spans, without missing jobs, in any order. At most 1,000. */
  readTracedJobs(jobIds: readonly string[]): Promise<TracedJob[]>;
  listJobs(query: JobQuery): Promise<JobPage>;
  /** In the order of the ids; undefined for a missing job. At most 1,000. */
  readRevisions(jobIds: readonly string[]): Promise<(number | undefined)[]>;
  /** The key that signs page tokens: the same for all replicas of a deployment, secret outside. */
  readPageTokenKey(): Promise<Uint8Array>;
  /** In the order of the ids, without open or missing jobs. */
  readEndedJobs(namespace: string, jobIds: readonly string[]): Promise<EndedJob[]>;
  /** Erases the data of an ended job and writes the audit record; no effect if it was erased before. */
  eraseJob(erasure: Erasure): Promise<Erased>;
  /** Which of these jobs have ended. */
  findEnded(jobIds: readonly string[]): Promise<string[]>;
  /** The namespace's retention of ended jobs whose definition sets none, in ms; undefined: the default. */
  readRetention(namespace: string): Promise<number | undefined>;
  setRetention(namespace: string, retentionMs: number | undefined): Promise<void>;
  /**
   * One bounded round of deleting what is past its retention; stops early once `stopped` returns true. Other replicas
   * may run rounds at the same time.
   */
  clearExpired(stopped?: () => boolean): Promise<Cleared>;
  /** Makes the partitions of the coming days. */
  ensurePartitions(): Promise<void>;
  close(): Promise<void>;
}

/** Identifies repeats of a call. */
export interface RequestKey {
  readonly requestId: string;
  /** Hash of the whole call. */
  readonly bodyHash: Uint8Array;
}

/** The jobs of a call that changes them in several transactions. */
export interface KeptPage {
  readonly jobIds: readonly string[];
  /** Start of the next page. */
  readonly nextBeforeJobId: string | undefined;
}

/** The result of a round of deleting. */
export interface Cleared {
  /** Dropped partitions of whole days. */
  readonly days: number;
  /** Ended jobs deleted one by one. */
  readonly jobs: number;
  /** Other rows: request ids, idempotency keys, closed sessions, and remains of deleted jobs. */
  readonly rows: number;
  /** There is more to delete now. */
  readonly more: boolean;
}

export interface StoreParts {
  readonly outbox: Outbox;
  readonly explain: ExplainStore;
  readonly queues: QueueStore;
  readonly schedules: ScheduleStore;
  readonly inbox: InboxStore;
  readonly workflows: WorkflowStore;
  readonly workflowReads: WorkflowReads;
  /** Manual changes, newest first. */
  readonly listAudit: (query: AuditQuery) => Promise<AuditRecord[]>;
  readonly batches: BatchStore;
  readonly waits: SignalWaitStore;
  readonly dependencies: DependencyStore;
  readonly stepTraces: StepTraces;
  readonly stepCache: StepCacheStore;
}
