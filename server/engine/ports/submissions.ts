/** The store's port: submissions and their results. */

import type { Payload } from '../../domain/base/payload.ts';
import type { RetryPage } from '../../domain/batches/batch-retry.ts';
import type { MembersRefused } from '../../domain/batches/membership.ts';
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { Demands, StickyTo, StickyWorker } from '../../domain/dispatch/demands.ts';
import type { LimitMark } from '../../domain/dispatch/limits.ts';
import type { IdempotencyKey, KeyObstacle, KeyOwners } from '../../domain/jobs/idempotency-key.ts';
import type { DebouncingKey, OwnedKey, RuleRefusal, ThrottleKey, UniqueKey } from '../../domain/jobs/rule-keys.ts';
import type { Change } from '../../domain/jobs/run.ts';
import type { JobDeadline, SoftDeadline } from '../../domain/jobs/soft-deadline.ts';
import type { RetryPolicy } from '../../domain/retries/retry-policy.ts';
import type { DependencyRefusal, DependentCall, DependentJob } from './dependencies.ts';
import type { Permit } from './dispatch.ts';
import type { KeyLimitOfJob, LaneUnderLimits } from './limits.ts';
import type { ManualCall } from './namespaces.ts';
import type { ParentStep } from './workflows.ts';

/** A job about to be stored. Ids are UUIDs in canonical text, times are microseconds on the database's clock. */
export interface NewJob extends DependentJob {
  readonly jobId: string;
  /** Determines namespace, queue, definition and version. */
  readonly laneId: number;
  /** WAITING: a batch's own job, which no worker runs. BLOCKED: decided by the store if it has unmet dependencies. */
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
  /** The time by which the job must have ended. */
  readonly deadlineUs?: number | undefined;
  readonly progressTimeoutMs?: number | undefined;
  readonly watchWindowMs?: number | undefined;
  readonly softDeadline?: JobDeadline | undefined;
  /** Its result must be checked before it counts. */
  readonly checkResult?: boolean | undefined;
  /** Fairness key; the rank of a READY job with one is computed when it is stored. */
  readonly fairnessKey?: string | undefined;
  /** Its key for the definition's key limit, and the id derived from both. */
  readonly limitKey?: string | undefined;
  readonly limitId?: string | undefined;
  readonly limitMark?: LimitMark | undefined;
  /** Its definition has a retry budget: the job is counted as a first attempt. */
  readonly hasRetryBudget?: boolean | undefined;
  /** The step that it belongs to. */
  readonly parent?: ParentStep | undefined;
}

/** One call of SubmitJob or SubmitJobs: all of its jobs or none. */
export interface SubmitCall extends DependentCall, MemberCall, ManualCall {
  readonly namespace: string;
  readonly requestId?: string | undefined;
  /** Hash of the whole call; set with `requestId`. */
  readonly bodyHash?: Uint8Array | undefined;
  readonly jobs: readonly NewJob[];
  /** One for each job that has an idempotency key. */
  readonly keys: readonly IdempotencyKey[];
  /** One for each job whose key limit does not let it wait. Undefined: none. */
  readonly limits?: readonly KeyLimitOfJob[] | undefined;
  /** One for each job whose definition has a submission rule. Undefined: none. */
  readonly rules?: readonly RuleKey[] | undefined;
}

export interface SubmittedJob {
  readonly jobId: string;
  /** The job existed before this call. */
  readonly existing: boolean;
  /** It got its permit: the session was open. */
  readonly assigned: boolean;
  /** Its rank, if its fairness key changed it. */
  readonly rank?: number | undefined;
  /** A rule of the definition returned this existing job, which is not from an earlier call with this request id. */
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
  /** Nothing is stored: the key of the job at `index` has its max open jobs. */
  | {
      readonly kind: 'limitReached';
      readonly index: number;
      readonly maxConcurrency: number;
      readonly openCount: number;
      /** The first of them. */
      readonly openJobIds: readonly string[];
    }
  /** Nothing is stored: these jobs must be cancelled first, so that the key limit admits those at `index`. */
  | { readonly kind: 'limitsHeld'; readonly held: readonly { readonly index: number; readonly jobId: string }[] }
  | KeyObstacle
  | BatchRefusal
  | DependencyRefusal
  | RuleRefusal;

export interface DebounceKey extends DebouncingKey {
  /** The changed fields of a job that starts before the end of its wait. */
  readonly startingAt: (startUs: number) => Partial<NewJob>;
}

export type RuleKey = UniqueKey | DebounceKey | ThrottleKey;

/** Jobs ended because debounced ones replaced them, and the first start of those, if any starts. */
export interface Replaced {
  readonly changes: readonly Change[];
  readonly dueUs?: number | undefined;
}

/** A validated submission of a client; spans in ms, times in µs since 1970. */
export interface Submission {
  readonly definition: string;
  /** 0: the newest. */
  readonly definitionVersion: number;
  readonly input: Payload;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly conflictPolicy: IdempotencyKey['policy'];
  readonly labels: Readonly<Record<string, string>>;
  readonly priority?: number | undefined;
  readonly runTimeUs?: number | undefined;
  readonly delayMs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
  /** Undefined: the definition's. */
  readonly softDeadline?: SoftDeadline | undefined;
  /** Its time in a schedule, from which its soft deadline counts. Undefined: from when it may run. */
  readonly nominalTimeUs?: number | undefined;
  /** Empty: the definition's queue. */
  readonly queue: string;
  /** Undefined: the definition's key, if it has one. */
  readonly fairnessKey?: string | undefined;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly runTimeoutMs?: number | undefined;
  readonly demands?: Demands | undefined;
  readonly sticky?: StickyTo | undefined;
  /** The worker resolved from `sticky`. */
  readonly keepTo?: StickyWorker | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The job that this one retries. */
  readonly retryOf?: string | undefined;
  /** Its dependencies. Undefined: none. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** The step that it belongs to. */
  readonly parent?: ParentStep | undefined;
}

/** Nothing is stored: the batch does not take these members. */
export interface BatchRefusal {
  readonly kind: 'batchRefused';
  readonly jobId: string;
  readonly why: MembersRefused;
  /** Its current number of members. */
  readonly members: number;
}

/** Makes the jobs of a call members of a batch. */
export interface MemberCall {
  /** The batch that gets them, all or none. Undefined: no batch. */
  readonly batchJobId?: string | undefined;
  /** For a batch that retries another one: the page stored with them. */
  readonly retryPage?: RetryPage | undefined;
}

/** One call's jobs, without those that already exist by idempotency key. */
export interface Insertion {
  readonly call: SubmitCall;
  readonly jobs: readonly NewJob[];
  /** The answer to a repeat of the call: all of its jobs, in order. */
  readonly jobIds: readonly string[];
  readonly existing: readonly boolean[];
}

/** Permits and ranks of jobs, by job id. */
export interface Placement {
  readonly permits: ReadonlyMap<string, Permit>;
  /** Ranks that follow from other jobs. */
  readonly ranks?: ReadonlyMap<string, number> | undefined;
  /** The one lane among those with permits that has limits, which have been checked. */
  readonly limited?: LaneUnderLimits | undefined;
}

export interface Inserted {
  /** Calls whose request ids were new. Other calls with a request id have stored nothing. */
  readonly first: ReadonlySet<SubmitCall>;
  /**
   * Sessions of the permits that were open, and lanes of jobs with permits that were not gated: a job with a permit is
   * assigned if both hold.
   */
  readonly openSessions: ReadonlySet<string>;
  readonly openLanes: ReadonlySet<number>;
}

/** A stored call with a request id. */
export interface StoredCall extends Pick<Insertion, 'jobIds' | 'existing'> {
  readonly namespace: string;
  readonly requestId: string;
  readonly bodyHash: Uint8Array;
}

export type RequestName = Pick<SubmitCall, 'namespace' | 'requestId'>;

/** An idempotency key, and the job that is to hold it. */
export interface PointedKey {
  readonly key: string;
  readonly jobId: string;
}

/** The key of a rule that a job about to be stored claims. */
export interface KeyClaim {
  readonly rule: RuleKey;
  readonly jobId: string;
}

export interface KeyTakeOver extends KeyClaim {
  readonly holderJobId: string;
  /** Set: the key keeps this time. */
  readonly untilUs: number | undefined;
}

/** End of each taken key's hold, by `nameOf` its hash; null: it has no end. */
export type UntilTimes = ReadonlyMap<string, number | null>;

/** Keys of jobs: a transaction that holds a run's lock never waits for a key. */
export interface JobKeyStore {
  /** Takes the call's free idempotency keys, in order. */
  insertIdempotencyKeys(call: SubmitCall): Promise<void>;
  /** Takes the call's idempotency keys over from the jobs that it replaces, in order. */
  takeOverIdempotencyKeys(call: SubmitCall): Promise<void>;
  /** Also those of others that the snapshot of the statements above did not see. */
  readKeyOwners(namespace: string, keys: readonly string[]): Promise<KeyOwners>;
  /** Points idempotency keys that this transaction has taken to other jobs. */
  pointIdempotencyKeys(namespace: string, keys: readonly PointedKey[]): Promise<void>;
  /** Takes the free keys of rules, in order. */
  insertSubmissionKeys(claims: readonly KeyClaim[]): Promise<UntilTimes>;
  /** The keys' holders keep them until the transaction ends. In order. */
  lockSubmissionKeys(hashes: readonly Uint8Array[]): Promise<void>;
  /** The holders as of now, by `nameOf` the hash. */
  readSubmissionKeys(hashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, OwnedKey>>;
  /** Takes over keys that are locked, each only from its holder. */
  takeOverSubmissionKeys(taken: readonly KeyTakeOver[]): Promise<UntilTimes>;
}

/** New jobs, and what a submission looks up before it stores them. */
export interface SubmissionStore extends JobKeyStore {
  /**
   * Stores the jobs and their calls' request ids; a call whose id was used stores nothing. A job with a permit is
   * assigned, if the session is open and the lane not gated. At most 1,000 jobs and 8 MiB of input.
   */
  insertJobs(insertions: readonly Insertion[], placement: Partial<Placement>): Promise<Inserted>;
  /** Without those that no call has used. */
  readStoredCalls(requests: readonly RequestName[]): Promise<StoredCall[]>;
  /** Which of these jobs are stored; settles a commit whose answer was lost. */
  findJobs(jobIds: readonly string[]): Promise<string[]>;
  /** By job, without missing jobs; undefined: no worker that got it is known. At most 1,000. */
  readLastWorkers(namespace: string, jobIds: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
}

export interface SubmissionTransactions {
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
  findSubmission(call: RequestName & Pick<SubmitCall, 'bodyHash'>): Promise<SubmitResult | undefined>;
}
