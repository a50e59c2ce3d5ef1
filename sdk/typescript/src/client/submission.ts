/** What a caller says about a job, as the message that the server takes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../duration.ts';
import type { IdempotencyConflictPolicy, JobSubmission } from '../gen/muster/v1/job_pb.ts';
import { JobSubmissionSchema } from '../gen/muster/v1/job_pb.ts';
import type { DemandsSchema, StickySchema } from '../gen/muster/v1/placement_pb.ts';
import { encodePayload } from '../payload.ts';
import type { DependencyInit } from './dependency.ts';
import { dependency } from './dependency.ts';
import type { RetryPolicyInit } from './retry-policy.ts';
import { retryPolicy } from './retry-policy.ts';

/** How one job is to be run. Everything may be left out. */
export interface JobOptions {
  /** Version of the definition. Default: the newest. */
  readonly definitionVersion?: number;
  /** A key of your business: a second submission with it is the same job. At most 256 characters. */
  readonly idempotencyKey?: string;
  /** What happens when the key is in use. Default: USE_EXISTING. */
  readonly idempotencyConflictPolicy?: IdempotencyConflictPolicy;
  /** At most 64; keys to 63, values to 256 characters. */
  readonly labels?: Record<string, string>;
  /** From -100 to 100; higher runs sooner. Default: the definition's. */
  readonly priority?: number;
  /** Not before this time. Excludes `delayMs`. */
  readonly runTime?: Date;
  /** Not before this many milliseconds after acceptance. Excludes `runTime`. */
  readonly delayMs?: number;
  /** The job expires when it has not been started by then. Default: never. */
  readonly expireTime?: Date;
  /** The queue to wait in. Default: the definition's. */
  readonly queue?: string;
  /**
   * Key among which the queue shares its workers fairly, such as a tenant. At most 256 characters. Default: what the
   * definition's `fairnessKey` gives.
   */
  readonly fairnessKey?: string;
  /** Replaces the definition's retry policy. */
  readonly retryPolicy?: RetryPolicyInit;
  /** Replaces the definition's run timeout, in milliseconds. */
  readonly runTimeoutMs?: number;
  /** Replaces the definition's demands. */
  readonly demands?: MessageInitShape<typeof DemandsSchema>;
  /** Keeps the job to the worker of an earlier one: `{ jobId, mode: StickyMode.HARD }`. Default: any worker that will do. */
  readonly sticky?: MessageInitShape<typeof StickySchema>;
  /** What must come about before it may start: all of these. At most 100. Default: nothing. */
  readonly dependencies?: readonly DependencyInit[];
  /** W3C trace context that the job belongs to. Default: that of the span of the submission, if the application traces. */
  readonly traceparent?: string;
  /** W3C trace state that goes with it. */
  readonly tracestate?: string;
}

/** @throws TypeError when the input can't be written as JSON, or when both `runTime` and `delayMs` are given. */
export function jobSubmission(definition: string, input: unknown, options: JobOptions): JobSubmission {
  const { runTime, delayMs, expireTime, runTimeoutMs, retryPolicy: policy, dependencies = [], ...same } = options;
  if (runTime !== undefined && delayMs !== undefined) throw new TypeError('give either runTime or delayMs');
  const job = create(JobSubmissionSchema, { ...same, definition, dependencies: dependencies.map(dependency) });
  const data = encodePayload(input);
  if (data !== undefined) job.input = data;
  if (runTime !== undefined) job.start = { case: 'runTime', value: timestampFromDate(runTime) };
  if (delayMs !== undefined) job.start = { case: 'delay', value: durationFromMs(delayMs) };
  if (expireTime !== undefined) job.expireTime = timestampFromDate(expireTime);
  if (policy !== undefined) job.retryPolicy = retryPolicy(policy);
  if (runTimeoutMs !== undefined) job.runTimeout = durationFromMs(runTimeoutMs);
  return job;
}
