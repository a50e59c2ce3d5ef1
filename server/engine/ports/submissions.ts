/** The store's port: submissions, and what becomes of them. */

import type { Payload } from '../../domain/base/payload.ts';
import type { RetryPage } from '../../domain/batches/batch-retry.ts';
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { Demands, StickyTo, StickyWorker } from '../../domain/dispatch/demands.ts';
import type { LimitMark } from '../../domain/dispatch/limits.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { Change } from '../../domain/jobs/run.ts';
import type { DuplicatePolicy } from '../../domain/jobs/submission-rule.ts';
import type { RetryPolicy } from '../../domain/retries/retry-policy.ts';
import type { ManualCall } from './audit.ts';
import type { DependencyRefusal, DependentCall, DependentJob } from './dependencies.ts';
import type { KeyLimitOfJob } from './limits.ts';
import type { ParentStep } from './workflows.ts';

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

/** One call of SubmitJob or SubmitJobs: all of its jobs or none. */
export interface SubmitCall extends DependentCall, MemberCall, ManualCall {
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

export interface KeyOfJob {
  /** Place of the job in its call. */
  readonly index: number;
  /** Unlike that of any other rule, definition or namespace. */
  readonly hash: Uint8Array;
}

export interface UniqueKey extends KeyOfJob {
  readonly kind: 'UNIQUENESS';
  readonly states: readonly JobState[];
  readonly policy: DuplicatePolicy;
  /** The job that this one retries: it is not in its way. */
  readonly retryOf: string | undefined;
}

export interface DebounceKey extends KeyOfJob {
  readonly kind: 'DEBOUNCE';
  readonly maxWaitMs: number;
  /** What changes in the job where it starts earlier than after its wait. */
  readonly startingAt: (startUs: number) => Partial<NewJob>;
}

export interface ThrottleKey extends KeyOfJob {
  readonly kind: 'THROTTLE';
  readonly periodMs: number;
  readonly policy: DuplicatePolicy;
}

export type RuleKey = UniqueKey | DebounceKey | ThrottleKey;

/** Why a call is refused: the job that is there, or the place of the one in the same call. */
export type RuleRefusal = {
  readonly index: number;
  readonly jobId?: string;
  readonly ofIndex?: number;
} & ({ readonly kind: 'duplicate' } | { readonly kind: 'throttled'; readonly retryAfterMs: number });

/** Jobs that have ended because debounced ones took their place, and when the first of those starts, if any does. */
export interface Replaced {
  readonly changes: readonly Change[];
  readonly dueUs?: number | undefined;
}

/** What a client asks to be run; checked, spans in ms, times in µs since 1970. */
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
  /** Empty: the definition's. */
  readonly queue: string;
  /** Undefined: the definition's, if it has one. */
  readonly fairnessKey?: string | undefined;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly runTimeoutMs?: number | undefined;
  readonly demands?: Demands | undefined;
  readonly sticky?: StickyTo | undefined;
  /** The worker that follows from it. */
  readonly keepTo?: StickyWorker | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The job that this one retries. */
  readonly retryOf?: string | undefined;
  /** What it is to wait for. Undefined: nothing. */
  readonly dependencies?: readonly Dependency[] | undefined;
  /** The step that it is of. */
  readonly parent?: ParentStep | undefined;
}

/** `RETRY`: its members are another batch's alone. `PAGE_DONE`: somebody else has stored the page. */
export type MembersRefused = 'NOT_FOUND' | 'SEALED' | 'CANCELLED' | 'ENDED' | 'FULL' | 'RETRY' | 'PAGE_DONE';

/** Nothing is stored: the batch takes no such members. */
export interface BatchRefusal {
  readonly kind: 'batchRefused';
  readonly jobId: string;
  readonly why: MembersRefused;
  /** That it has. */
  readonly members: number;
}

/** What makes the jobs of a call members of a batch. */
export interface MemberCall {
  /** Whose members they become, and then all of them or none. Left out: none's. */
  readonly batchJobId?: string | undefined;
  /** Of a batch that retries another one: what is decided with them. */
  readonly retryPage?: RetryPage | undefined;
}
