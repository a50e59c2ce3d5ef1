/** The one error that calls to Muster fail with. */
import type { Job } from './gen/muster/v1/job_pb.ts';
import { stateName } from './job-state.ts';

/** gRPC status codes by name. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** A request field that the server refused. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface MusterErrorFacts {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly retryDelayMs?: number | undefined;
  readonly cause?: unknown;
}

/** A call that failed. */
export class MusterError extends Error {
  override readonly name: string = 'MusterError';
  /** gRPC status code; `Code` names them. */
  readonly code: number;
  /** Stable reason, such as `JOB_NOT_FOUND`. Empty when the server sent none, as when it can't be reached. */
  readonly reason: string;
  /** The variables of the message. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What is wrong with the request, field by field. Empty unless `code` is INVALID_ARGUMENT. */
  readonly fieldViolations: readonly FieldViolation[];
  /** Delay in milliseconds after which the server accepts the call again. `undefined` when it gave none. */
  readonly retryDelayMs: number | undefined;

  constructor(facts: MusterErrorFacts) {
    super(facts.message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = facts.code;
    this.reason = facts.reason ?? '';
    this.metadata = facts.metadata ?? {};
    this.fieldViolations = facts.fieldViolations ?? [];
    this.retryDelayMs = facts.retryDelayMs;
  }
}

/** A job that ended without a result: FAILED, CANCELLED, EXPIRED or SKIPPED. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError';
  /** The job as it ended; `job.outcome` holds the failure. */
  readonly job: Job;

  constructor(job: Job) {
    const failure = job.outcome.case === 'failure' ? job.outcome.value : undefined;
    const why = failure ? `${failure.type || 'failure'}: ${failure.message}` : job.stateReason;
    super(`job ${job.jobId} ended ${stateName(job.state)}${why ? `: ${why}` : ''}`);
    this.job = job;
  }
}
