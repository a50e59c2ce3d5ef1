/** Converts the options of a job to the message of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../../duration.ts';
import type { IdempotencyConflictPolicy, JobSubmission } from '../../gen/muster/v1/job_pb.ts';
import { JobSubmissionSchema } from '../../gen/muster/v1/job_pb.ts';
import { DemandsSchema, StickySchema } from '../../gen/muster/v1/placement_pb.ts';
import { refuseUnknownFields } from '../../options/known-fields.ts';
import type { Known } from '../../options/known-options.ts';
import { within } from '../../options/known-options.ts';
import { encodePayload } from '../../payload.ts';
import type { InputField, TypedJob, WithOutput } from '../../typed/typed-job.ts';
import type { DependencyInit } from '../dependency.ts';
import { dependency } from '../dependency.ts';
import type { RetryPolicyInit } from '../retry-policy.ts';
import { retryPolicy } from '../retry-policy.ts';
import type { SoftDeadlineInit } from '../soft-deadline.ts';
import { softDeadline } from '../soft-deadline.ts';
import type { JobRef } from './job-ref.ts';

/** Options of a job, all optional. */
export interface JobOptions {
  /** Version of the definition. Default: the newest. */
  readonly definitionVersion?: number;
  /** Business key: a second submission with the same key gives the same job. At most 256 characters. */
  readonly idempotencyKey?: string;
  /** What happens when the key is in use. Default: USE_EXISTING. */
  readonly idempotencyConflictPolicy?: IdempotencyConflictPolicy;
  /** At most 64; keys at most 63 characters, values at most 256. */
  readonly labels?: Record<string, string>;
  /** From -100 to 100; higher runs sooner. Default: the definition's. */
  readonly priority?: number;
  /** Not before this time. Excludes `delayMs`. */
  readonly runTime?: Date;
  /** Not before this many milliseconds after acceptance. Excludes `runTime`. */
  readonly delayMs?: number;
  /** The job expires when it has not started by this time. Default: never. */
  readonly expireTime?: Date;
  /** The queue of the job. Default: the definition's. */
  readonly queue?: string;
  /**
   * The queue shares its workers fairly between these keys; use a tenant, for example. At most 256 characters. Default:
   * the value of the definition's `fairnessKey`.
   */
  readonly fairnessKey?: string;
  /** Replaces the definition's retry policy. */
  readonly retryPolicy?: RetryPolicyInit;
  /** Replaces the definition's run timeout, in milliseconds. */
  readonly runTimeoutMs?: number;
  /** By when it should have ended; replaces the definition's. */
  readonly softDeadline?: SoftDeadlineInit;
  /** Replaces the definition's demands. */
  readonly demands?: MessageInitShape<typeof DemandsSchema>;
  /**
   * Prefers or requires the worker of an earlier job: `{ jobId, mode: StickyMode.HARD }`. Default: any suitable worker.
   */
  readonly sticky?: MessageInitShape<typeof StickySchema>;
  /** The job starts when all of these are met. At most 100. Default: none. */
  readonly dependsOn?: readonly DependencyInit[];
  /** W3C trace context of the job. Default: that of the submission's span, if the application traces. */
  readonly traceparent?: string;
  /** W3C trace state that goes with it. */
  readonly tracestate?: string;
}

export const jobOptions: Known<JobOptions> = {
  definitionVersion: true,
  idempotencyKey: true,
  idempotencyConflictPolicy: true,
  labels: true,
  priority: true,
  runTime: true,
  delayMs: true,
  expireTime: true,
  queue: true,
  fairnessKey: true,
  retryPolicy: true,
  runTimeoutMs: true,
  softDeadline: true,
  demands: true,
  sticky: true,
  dependsOn: true,
  traceparent: true,
  tracestate: true,
};

/** One job of `submitMany`. */
export interface JobRequest extends JobOptions {
  readonly definition: string;
  readonly input?: unknown;
}

/** One job of `submitMany`, with a typed job in place of the definition's name. */
export type TypedJobRequest<Job extends TypedJob = TypedJob> =
  Job extends TypedJob<infer Input, unknown> ? JobOptions & InputField<Input> & { readonly job: Job } : never;

export const jobRequest: Known<JobRequest> = { ...jobOptions, definition: true, input: true };
export const typedJobRequest: Known<JobOptions & { job: true; input: true }> = {
  ...jobOptions,
  job: true,
  input: true,
};

/** Options that apply to all jobs of a submission. */
export interface MemberOptions {
  /** An open batch; the jobs become its members. Default: none. */
  readonly batch?: JobRef;
}

/** A job as it was submitted. */
interface Submission {
  readonly jobId: string;
  /** True when the job existed already: its idempotency key or request id was in use. */
  readonly existing: boolean;
}

/** A submitted job. `Output`: type of its result, if the job was typed. */
export type SubmittedJob<Output = unknown> = Submission & WithOutput<Output>;

/**
 * Names of `options` are not checked, except in the objects within it.
 *
 * @param where Where the options are in the call, for errors.
 * @throws TypeError when the input can't be written as JSON, a field is unknown, or both `runTime` and `delayMs` are
 *   given.
 */
export function jobSubmission(
  definition: string,
  input: unknown,
  options: JobOptions,
  where: string = 'submit',
): JobSubmission {
  const { runTime, delayMs, expireTime, runTimeoutMs, retryPolicy: policy, dependsOn = [], ...rest } = options;
  const { softDeadline: deadline, ...same } = rest;
  if (runTime !== undefined && delayMs !== undefined) throw new TypeError('give either runTime or delayMs');
  if (same.demands) refuseUnknownFields(within(where, 'demands'), DemandsSchema, same.demands);
  if (same.sticky) refuseUnknownFields(within(where, 'sticky'), StickySchema, same.sticky);
  const needs = dependsOn.map((one, i) => dependency(one, `${within(where, 'dependsOn')}[${i}]`));
  const job = create(JobSubmissionSchema, { ...same, definition, dependsOn: needs });
  const data = encodePayload(input);
  if (data !== undefined) job.input = data;
  if (runTime !== undefined) job.start = { case: 'runTime', value: timestampFromDate(runTime) };
  if (delayMs !== undefined) job.start = { case: 'delay', value: durationFromMs(delayMs) };
  if (expireTime !== undefined) job.expireTime = timestampFromDate(expireTime);
  if (policy !== undefined) job.retryPolicy = retryPolicy(policy, within(where, 'retryPolicy'));
  if (deadline !== undefined) job.softDeadline = softDeadline(deadline, within(where, 'softDeadline'));
  if (runTimeoutMs !== undefined) job.runTimeout = durationFromMs(runTimeoutMs);
  return job;
}
