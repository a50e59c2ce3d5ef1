/** What the engine asks of the store: each function is one transaction, batches in, facts out. */
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
  /** One transaction for all that `work` asks of the store that it is given; what it throws undoes all of it. */
  together<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** Whether this is the first call with the id, within `together`; another one waits for its end. `reused`: by another call. */
  takeRequestId(namespace: string, request: RequestKey): Promise<'first' | 'repeat' | 'reused'>;
  /** Keeps the page for repeats of the call, and answers the one that was kept. */
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
  /** What open sessions that do not drain offer; at most 1,000. */
  listOffers(namespace: string): Promise<Offer[]>;
  /** Versions below `version` that have open jobs, newest first. At most 20, found in bounded time: some may be missed. */
  readOpenVersions(namespace: string, name: string, version: number): Promise<number[]>;
  /** The lane with this key. `breaker` may hold its jobs back. */
  findLane(key: LaneKey, breaker?: string): Promise<number | undefined>;
  /** As `findLane`; made if there is none, and its queue with it. */
  ensureLane(key: LaneKey, breaker?: string): Promise<number>;
  readLanes(laneIds: readonly number[]): Promise<Lane[]>;
  /** Lowest rank of each lane that has ready jobs and is not held back; at most 5,000 lanes. */
  readHeads(): Promise<LaneHead[]>;
  /**
   * Results in the order of the calls. At most 1,000 jobs together unless there is one call only. A job with a place is
   * assigned to it as it is stored, if the session is open and the lane not held back; places are for jobs of calls
   * without keys.
   */
  submit(
    calls: readonly SubmitCall[],
    permits?: ReadonlyMap<string, Permit>,
    limited?: LaneUnderLimits,
  ): Promise<SubmitResult[]>;
  /** What became of an earlier call with the request id; undefined: there was none. */
  findSubmission(call: Pick<SubmitCall, 'namespace' | 'requestId' | 'bodyHash'>): Promise<SubmitResult | undefined>;
  /** Which of these idempotency keys belong to a job. */
  findOwnedKeys(namespace: string, keys: readonly string[]): Promise<string[]>;
  /** Which of these jobs are stored; settles a commit whose answer was lost. */
  findJobs(jobIds: readonly string[]): Promise<string[]>;
  /** Assigns ready jobs to permits. */
  claim(claim: Claim): Promise<ClaimResult>;
  /** Keeps the reservations of lanes whose jobs are ready. */
  renewReservations(): Promise<void>;
  /** Puts jobs that wait at the limit of these keys back among the ready ones, as many as there is room for. At most 500 keys. */
  requeueDeferred(limitIds: readonly string[]): Promise<Requeued>;
  /** Keys with marked ready jobs, in the order of their ids, from behind `afterLimitId`. */
  readWaitingKeys(afterLimitId: string, limit: number): Promise<string[]>;
  /** Locks breakers, asks `decide` for each, writes, and holds their lanes back or lets them go. `make`: first those that are missing. */
  changeBreakers(keys: readonly BreakerKey[], decide: DecideBreaker, make?: boolean): Promise<BreakerChange>;
  /** By name. */
  listBreakers(namespace: string, afterName: string, limit: number): Promise<BreakerPage>;
  /** Those that are not closed; at most 500. */
  readOpenBreakers(): Promise<OpenBreaker[]>;
  /** Lanes that nothing but this breaker holds back, with their lowest ranks; at most 100. */
  readLanesToProbe(key: BreakerKey): Promise<LaneHead[]>;
  /** Claims one job, if the breaker is open and its time has come: then it is the breaker's probe. */
  probeBreaker(key: BreakerKey, claim: ProbeClaim): Promise<ClaimedJob | undefined>;
  /** Lanes that are held back, or not, against what their breakers say; returns the heads of those that may go on. */
  alignGatedLanes(): Promise<LaneHead[]>;
  /**
   * The attempts that were open and are now completed; the others were not the session's to complete, or their results
   * are to be checked first and these are not `checked`.
   */
  complete(completions: readonly Completion[], checked?: boolean): Promise<CompletedAttempt[]>;
  /** Which of these attempts are open and have a result that is to be checked. */
  readUnchecked(attempts: readonly AttemptKey[]): Promise<UncheckedAttempt[]>;
  readClosed(attempts: readonly AttemptKey[]): Promise<ClosedRecord[]>;
  /** Locks, loads, asks `decide` for each, writes, commits; returns what was changed. */
  change(selection: Selection, decide: Decide): Promise<Change[]>;
  /** Earliest due time of all, if any. */
  nextDueUs(): Promise<number | undefined>;
  openSession(session: NewSession): Promise<SessionRow>;
  renewSessions(beats: readonly Beat[], leaseMs: number): Promise<Renewal[]>;
  readSessions(sessionIds: readonly string[]): Promise<SessionRow[]>;
  listSessions(namespace: string, afterSessionId: string, limit: number): Promise<WorkerView[]>;
  readWorker(namespace: string, sessionId: string): Promise<WorkerView | undefined>;
  /** What a session holds, held longest first. */
  readHeldJobs(sessionId: string, limit: number): Promise<HeldJob[]>;
  /** Nothing is assigned to the session any more once this has resolved. One that is not open stays as it is. */
  drainSession(namespace: string, sessionId: string): Promise<void>;
  /** ASSIGNED and CANCELLING attempts of a session; RUNNING ones too when `whole`. At most 10,000. */
  readHeld(sessionId: string, whole: boolean): Promise<HeldRun[]>;
  /** Builds assignments anew for attempts that a session should hold. */
  readAssigned(attempts: readonly AttemptKey[]): Promise<ClaimedJob[]>;
  /** ASSIGNED attempts whose handler has started become RUNNING. */
  observe(attempts: readonly AttemptKey[]): Promise<void>;
  saveProgress(changes: readonly ProgressChange[]): Promise<void>;
  /** At most one log an attempt and session. Passes over what is stored already, and attempts that are not open in their session. */
  saveLogs(logs: readonly AttemptLog[]): Promise<void>;
  /** Of a job of any namespace. */
  readLogs(query: LogQuery): Promise<LogPage>;
  /** OPEN sessions become CLOSING; with `lapsedForMs` only those whose lease, read under the lock, ended that long ago. */
  closeSessions(sessionIds: readonly string[], how: SessionEnd, lapsedForMs?: number): Promise<string[]>;
  /** CLOSING sessions that hold nothing become CLOSED. */
  endSessions(sessionIds: readonly string[]): Promise<string[]>;
  readLapse(): Promise<Lapse>;
  readJob(namespace: string, jobId: string): Promise<JobView | undefined>;
  /** In the order of the names; undefined where there is no such job. At most 1,000. */
  readJobs(names: readonly JobName[]): Promise<(JobView | undefined)[]>;
  /** By job, of those that are there; undefined: no worker is known that was given it. At most 1,000. */
  readLastWorkers(namespace: string, jobIds: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  /** What the ids of the jobs' spans follow from, of those that are there, in any order. At most 1,000. */
  readTraceOrigins(jobIds: readonly string[]): Promise<TraceOrigin[]>;
  /** What the jobs' spans are drawn from, of those that are there, in any order. At most 1,000. */
  readTracedJobs(jobIds: readonly string[]): Promise<TracedJob[]>;
  listJobs(query: JobQuery): Promise<JobPage>;
  /** In the order of the ids; undefined where there is no such job. At most 1,000. */
  readRevisions(jobIds: readonly string[]): Promise<(number | undefined)[]>;
  /** What page tokens are signed with: the same for each replica of a deployment, unknown outside. */
  readPageTokenKey(): Promise<Uint8Array>;
  /** In the order of the ids, without those that are open or not there. */
  readEndedJobs(namespace: string, jobIds: readonly string[]): Promise<EndedJob[]>;
  /** Erases the data of an ended job and writes the audit record; of one that was erased before it changes nothing. */
  eraseJob(erasure: Erasure): Promise<Erased>;
  /** Which of these jobs have ended. */
  findEnded(jobIds: readonly string[]): Promise<string[]>;
  /** How long a namespace keeps ended jobs, in ms, where their definition says nothing of it; undefined: the default. */
  readRetention(namespace: string): Promise<number | undefined>;
  setRetention(namespace: string, retentionMs: number | undefined): Promise<void>;
  /**
   * One round, of bounded work, of clearing away what was kept long enough; ends early once `stopped` says so. Another
   * replica may be at it as well.
   */
  clearExpired(stopped?: () => boolean): Promise<Cleared>;
  /** Makes the partitions of the days to come. */
  ensurePartitions(): Promise<void>;
  close(): Promise<void>;
}

/** What makes a repeat of a call harmless. */
export interface RequestKey {
  readonly requestId: string;
  /** Of the whole call. */
  readonly bodyHash: Uint8Array;
}

/** The jobs that a call is about, which changes them in more than one transaction. */
export interface KeptPage {
  readonly jobIds: readonly string[];
  /** Where the next page begins. */
  readonly nextBeforeJobId: string | undefined;
}

/** What a round of clearing away has done. */
export interface Cleared {
  /** Whole days that were dropped. */
  readonly days: number;
  /** Ended jobs that were deleted one by one. */
  readonly jobs: number;
  /** Other rows: request ids, idempotency keys, closed sessions, and what was left of deleted jobs. */
  readonly rows: number;
  /** There is more to clear away now. */
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
  /** What people did by hand, newest first. */
  readonly listAudit: (query: AuditQuery) => Promise<AuditRecord[]>;
  readonly batches: BatchStore;
  readonly waits: SignalWaitStore;
  readonly dependencies: DependencyStore;
  readonly stepTraces: StepTraces;
  readonly stepCache: StepCacheStore;
}
