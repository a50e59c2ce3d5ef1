/** What the engine asks of the store: each function is one transaction, batches in, facts out. */
import type { Offer } from '../domain/compatibility.ts';
import type { SessionEnd } from '../domain/decide.ts';
import type { JobDefinition, RetryPolicy } from '../domain/definition.ts';
import type { TracedJob } from '../domain/job-spans.ts';
import type { LimitMark } from '../domain/limits.ts';
import type { Payload } from '../domain/payload.ts';
import type { Handler, LaneKey } from '../domain/placement.ts';
import type { Change, OpenRun } from '../domain/run.ts';
import type { TraceOrigin } from '../domain/trace.ts';
import type {
  AttemptKey,
  ClosedRecord,
  CompletedAttempt,
  HeldRun,
  ProgressChange,
  UncheckedAttempt,
} from './attempt-views.ts';
import type { CallByHand } from './audit-views.ts';
import type { BatchRefusal, MemberCall } from './batch-views.ts';
import type { BreakerChange, BreakerKey, BreakerPage, DecideBreaker, OpenBreaker } from './breaker-views.ts';
import type { AppliedDefinition, DefinitionPage, DefinitionQuery } from './definition-views.ts';
import type { DemandStore } from './demand-views.ts';
import type { DependencyRefusal, DependentCall, DependentJob } from './dependency-views.ts';
import type { EndedJob, Erased, Erasure, JobName, JobPage, JobQuery, JobView } from './job-views.ts';
import type { KeyLimitOfJob, LaneUnderLimits, LimitedClaim, ProbeClaim, Unparked } from './limit-views.ts';
import type { AttemptLog, LogPage, LogQuery } from './log-records.ts';
import type { KeptPage, RequestKey } from './requests.ts';
import type { Cleared } from './retention.ts';
import type { StoreParts } from './store-parts.ts';
import type { Replaced, RuleKey, RuleRefusal } from './submission-rules.ts';
import type { HeldJob, Lapse, WorkerView } from './worker-views.ts';
import type { ParentStep } from './workflow-views.ts';

/** A job about to be stored. Ids are UUIDs in canonical text, times are microseconds on the database's clock. */
export interface NewJob extends DependentJob {
  readonly jobId: string;
  /** Says namespace, queue, definition and version. */
  readonly laneId: number;
  /** WAITING: nobody is to run it, since it is a batch's own. BLOCKED: as the store finds what it depends on. */
  readonly state: 'READY' | 'SCHEDULED' | 'WAITING' | 'BLOCKED';
  readonly rank: number;
  readonly priority: number;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly input: Payload;
  /** Canonical text of the demands where the submission overrides the definition's. */
  readonly demands?: string | undefined;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly runTimeoutMs: number;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly runTimeUs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
  /** The job that this one retries. */
  readonly retryOf?: string | undefined;
  /** By when the job must have ended. */
  readonly deadlineUs?: number | undefined;
  readonly progressTimeoutMs?: number | undefined;
  readonly watchWindowMs?: number | undefined;
  /** Its result is checked before it counts. */
  readonly checkResult?: boolean | undefined;
  /** Key among which the queue shares its workers; a READY job with one is ranked as it is stored. */
  readonly fairnessKey?: string | undefined;
  /** Its key for the definition's key limit, and the id that follows from both. */
  readonly limitKey?: string | undefined;
  readonly limitId?: string | undefined;
  readonly limitMark?: LimitMark | undefined;
  /** Its definition has a retry budget: the job is counted as a first attempt. */
  readonly hasRetryBudget?: boolean | undefined;
  /** The step that it is of. */
  readonly parent?: ParentStep | undefined;
}

/** Room for one attempt in a session. */
export interface Place {
  readonly sessionId: string;
  readonly creditId: number;
  readonly prefetch: boolean;
}

export interface Claim {
  /** In the order in which they are to be filled. At most 1,000. */
  readonly places: readonly Place[];
  /** Lanes whose jobs fit every place, each with the rank to scan from. */
  readonly lanes: readonly { readonly laneId: number; readonly cursor: number }[];
  /** Bound of inputs and overhead together. */
  readonly maxBytes: number;
  /** Told which of the lanes are held back, where others gave jobs: as long as they are, nothing of them is assigned. */
  readonly onHeldBack?: ((laneIds: readonly number[]) => void) | undefined;
  /** Takes jobs that nothing but an open circuit breaker holds back, too. */
  readonly probes?: boolean | undefined;
  /** The sessions of the places have room for what the jobs take of their resources. */
  readonly demandsMet?: boolean | undefined;
}

export interface ClaimedJob extends Place {
  readonly jobId: string;
  readonly laneId: number;
  readonly rank: number;
  readonly attempt: number;
  readonly attemptsCounted: number;
  readonly runTimeoutMs: number;
  readonly input: Payload;
  readonly checkpoint: Payload | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The time that the job was delayed to. */
  readonly runTimeUs?: number | undefined;
}

/** A report that an attempt returned a result. */
export interface Completion {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly result: Payload;
}

/** One call of SubmitJob or SubmitJobs: all of its jobs or none. */
export interface SubmitCall extends DependentCall, MemberCall, CallByHand {
  readonly namespace: string;
  readonly requestId?: string | undefined;
  /** Of the whole call; set with `requestId`. */
  readonly bodyHash?: Uint8Array | undefined;
  readonly jobs: readonly NewJob[];
  /** One for each job that has an idempotency key. */
  readonly keys: readonly IdempotencyKey[];
  /** One for each job whose key limit does not let it wait. Left out: none. */
  readonly limits?: readonly KeyLimitOfJob[] | undefined;
  /** One for each job whose definition has a rule for its submissions. Undefined: none has. */
  readonly rules?: readonly RuleKey[] | undefined;
}

export interface IdempotencyKey {
  /** Place of the job in its call. */
  readonly index: number;
  readonly key: string;
  readonly contentHash: Uint8Array;
  readonly policy: 'FAIL' | 'USE_EXISTING' | 'REPLACE';
  /** The job that held the key and was cancelled: the key is taken from that one, and from no other. */
  readonly replacedJobId?: string | undefined;
}

export interface SubmittedJob {
  readonly jobId: string;
  /** It was there before this call. */
  readonly existing: boolean;
  /** It was given the place that was meant for it: its session was open. */
  readonly assigned: boolean;
  /** Where it got another than was asked for: one by its fairness key. */
  readonly rank?: number | undefined;
  /** It was there, and not by an earlier call with this request id: a rule of the definition made no other one. */
  readonly duplicate?: true;
}

export type SubmitResult =
  /** `repeated`: by an earlier call with this request id. */
  | {
      readonly kind: 'stored';
      readonly jobs: readonly SubmittedJob[];
      readonly repeated?: true;
      readonly replaced?: Replaced;
    }
  | { readonly kind: 'requestIdReused' }
  /** Nothing is stored: these keys with the policy REPLACE belong to these jobs, which are to be cancelled first. */
  | { readonly kind: 'keysHeld'; readonly held: readonly { readonly index: number; readonly jobId: string }[] }
  /** Nothing is stored: the key of the job at `index` has as many open jobs as it may have. */
  | {
      readonly kind: 'limitReached';
      readonly index: number;
      readonly maxConcurrency: number;
      readonly openJobIds: readonly string[];
    }
  /** Nothing is stored: these jobs are to be cancelled first, to make room for those at `index`. */
  | { readonly kind: 'limitsHeld'; readonly held: readonly { readonly index: number; readonly jobId: string }[] }
  | {
      readonly kind: 'idempotencyConflict';
      readonly index: number;
      readonly jobId: string;
      readonly sameContent: boolean;
    }
  | BatchRefusal
  | DependencyRefusal
  | RuleRefusal;

export interface Lane extends LaneKey {
  readonly laneId: number;
  /** Its jobs have limits: only `claimLimited` assigns them. */
  readonly limited: boolean;
}

export interface LaneHead {
  readonly laneId: number;
  readonly rank: number;
  /** As `Lane` says; undefined: not looked at. */
  readonly limited?: boolean | undefined;
}

export interface NewSession {
  readonly sessionId: string;
  readonly namespace: string;
  readonly workerName: string;
  readonly leaseMs: number;
  readonly slots: number;
  readonly handlers: readonly Handler[];
  readonly labels: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, number>>;
  readonly sdk: { readonly name: string; readonly version: string; readonly language: string };
  readonly requestId?: string | undefined;
}

export interface SessionRow extends Omit<NewSession, 'leaseMs' | 'requestId'> {
  readonly state: 'OPEN' | 'CLOSING' | 'CLOSED';
  readonly leaseUntilUs: number;
  readonly beatTimeUs: number;
  readonly openTimeUs: number;
  readonly beats: number;
  readonly pingEcho: number;
  /** It takes nothing more: at its own wish, or because somebody wants it so. */
  readonly draining: boolean;
  /** Somebody asked for it. */
  readonly drainWanted: boolean;
}

export interface Beat {
  readonly sessionId: string;
  readonly pingEcho: number;
  readonly draining: boolean;
}

/** What a heartbeat changed; a session that is not open has none. */
export interface Renewal {
  readonly sessionId: string;
  readonly beats: number;
  readonly pingEcho: number;
  /** Time of the beat before this one. */
  readonly previousBeatUs: number;
  readonly draining: boolean;
  readonly drainWanted: boolean;
}

export interface JobSelection {
  readonly by: 'jobs';
  readonly namespace: string;
  readonly jobIds: readonly string[];
}

/** Which open jobs a change locks and loads. */
export type Selection =
  | { readonly by: 'attempts'; readonly attempts: readonly AttemptKey[] }
  | JobSelection
  | { readonly by: 'session'; readonly sessionId: string; readonly limit: number }
  | { readonly by: 'due'; readonly limit: number }
  /** Ready jobs of lanes of workflows, or of waits, lowest rank first; not of lanes that are held back. */
  | { readonly by: 'workflows'; readonly laneIds: readonly number[]; readonly limit: number };

export type Decide = (run: OpenRun, nowUs: number) => Change | undefined;

export interface Store extends DemandStore, StoreParts {
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
    places?: ReadonlyMap<string, Place>,
    limited?: LaneUnderLimits,
  ): Promise<SubmitResult[]>;
  /** What became of an earlier call with the request id; undefined: there was none. */
  findSubmission(call: Pick<SubmitCall, 'namespace' | 'requestId' | 'bodyHash'>): Promise<SubmitResult | undefined>;
  /** Which of these idempotency keys belong to a job. */
  findHeldKeys(namespace: string, keys: readonly string[]): Promise<string[]>;
  /** Which of these jobs are stored; settles a commit whose answer was lost. */
  findJobs(jobIds: readonly string[]): Promise<string[]>;
  claim(claim: Claim): Promise<ClaimedJob[]>;
  /** As `claim`, of lanes of suspects: a session gets one at the most, and none while it holds one. */
  claimSuspects(claim: Claim): Promise<ClaimedJob[]>;
  /** As `claim`, or `claimSuspects`, of one lane that is limited: no more than its limits allow. */
  claimLimited(claim: LimitedClaim, suspect: boolean): Promise<ClaimedJob[]>;
  /** Puts jobs that wait at the limit of these keys back among the ready ones, as many as there is room for. At most 500 keys. */
  unpark(limitIds: readonly string[]): Promise<Unparked>;
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
  /** Claims one job for one of the places, if the breaker is open and its time has come: then it is the breaker's probe. */
  probeBreaker(key: BreakerKey, claim: ProbeClaim, suspect: boolean): Promise<ClaimedJob | undefined>;
  /** Lanes that are held back, or not, against what their breakers say; returns the heads of those that may go on. */
  alignHeldLanes(): Promise<LaneHead[]>;
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
