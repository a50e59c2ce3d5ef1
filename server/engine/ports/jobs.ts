/** Jobs as people ask for them and see them. */

import type { Failure, Payload } from '../../domain/base/payload.ts';
import type { WaitReason } from '../../domain/explain/wait-reasons.ts';
import type { CancelStage } from '../../domain/jobs/cancel-stage.ts';
import type { JobFilter } from '../../domain/jobs/job-filter.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { AttemptOutcome, Change, OpenRun, SkipReason } from '../../domain/jobs/run.ts';
import type { RetryPolicy } from '../../domain/retries/retry-policy.ts';
import type { AttemptKey } from './attempts.ts';

/** An ended job as one like it is made of it. */
export interface EndedJob {
  readonly jobId: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  /** Canonical text, set where the submission had its own. */
  readonly demands: string | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly runTimeoutMs: number;
  /** Undefined: none. Given by its definition, it is given to a retry too. */
  readonly fairnessKey: string | undefined;
  /** Its data is gone. */
  readonly erased: boolean;
  /** Some job retries it. */
  readonly retried: boolean;
}

export interface Erasure {
  readonly namespace: string;
  readonly jobId: string;
  readonly reason: string;
  /** Of the audit record, if one is written. */
  readonly auditId: string;
}

export type Erased =
  | { readonly kind: 'missing' }
  /** `cleanupJobId`: it has ended, but what cleans up after it has not, and works with a copy of its input. */
  | { readonly kind: 'open'; readonly state: JobState; readonly cleanupJobId?: string | undefined }
  /** Of the first audit record. */
  | { readonly kind: 'erased'; readonly auditId: string };

export interface JobName {
  readonly namespace: string;
  readonly jobId: string;
}

/** A page of the jobs that match a filter, newest first. */
export interface JobQuery {
  readonly namespace: string;
  readonly filter: JobFilter;
  /** `nextBeforeJobId` of the page before; undefined for the first. */
  readonly beforeJobId: string | undefined;
  /** Jobs on the page. At most 1,000; fewer where their labels and failures come to more than 2 MiB. */
  readonly limit: number;
  /** Records that are looked at for the page, about. */
  readonly scanLimit: number;
}

export interface JobPage {
  /** Without attempts, and with the data of inputs and results left empty. */
  readonly jobs: readonly JobView[];
  /** Where the next page begins, also when this one is not full, or empty. Undefined: this was the last. */
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
}

/** A job as people see it. */
export interface JobView {
  readonly jobId: string;
  readonly namespace: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly state: JobState;
  readonly reason: string;
  /** Undefined: it was not skipped. */
  readonly skipReason?: SkipReason | undefined;
  /** What it waits for, as far as that was read with it. */
  readonly waitReason: WaitReason | undefined;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Payload;
  readonly progress: { readonly fraction: number; readonly message: string } | undefined;
  readonly attempt: number;
  readonly attemptsCounted: number;
  readonly createTimeUs: number;
  readonly runTimeUs: number | undefined;
  readonly expireTimeUs: number | undefined;
  readonly assignTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  /** Undefined: nobody asked for a cancel. */
  readonly cancellation:
    | {
        readonly stage: CancelStage;
        readonly reason: string;
        readonly requestTimeUs: number | undefined;
        readonly cleanupJobId: string | undefined;
      }
    | undefined;
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
  readonly attempts: readonly AttemptView[];
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
