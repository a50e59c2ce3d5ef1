/** Converts jobs that the control plane submits later by itself: for a schedule, or when a batch ends. */
import { create } from '@bufbuild/protobuf';
import { type JobSubmission, JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { ScheduledJob } from '../../engine/ports/schedules.ts';
import { durationTo, payloadTo } from '../base/convert-payload.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';
import { demandsTo } from '../dispatch/convert-demands.ts';
import { retryPolicyTo } from '../retries/convert-retry-policy.ts';
import { submissionFrom } from './convert-job.ts';
import { softDeadlineTo } from './convert-soft-deadline.ts';

export interface PlannedJob {
  /** Its path in the request. */
  readonly field: string;
  /** Its owner, for messages. */
  readonly of: string;
  /** Maximum labels of a caller. */
  readonly maxLabels: number;
}

/** Refuses fields that must differ between jobs: the template is shared by all of them. */
function refuseOwn(job: JobSubmission, { field, of }: PlannedJob, violations: Violations): void {
  const own: readonly (readonly [boolean, string])[] = [
    [job.idempotencyKey !== '', 'idempotency_key'],
    [job.idempotencyConflictPolicy !== 0, 'idempotency_conflict_policy'],
    [job.start.case === 'runTime', 'run_time'],
    [job.start.case === 'delay', 'delay'],
    [job.expireTime !== undefined, 'expire_time'],
    [job.traceparent !== '', 'traceparent'],
    [job.tracestate !== '', 'tracestate'],
    [job.sticky !== undefined, 'sticky'],
    [job.dependsOn.length > 0, 'depends_on'],
    [job.softDeadline?.due.case === 'time', 'soft_deadline.time'],
  ];
  for (const [isSet, name] of own)
    violations.check(!isSet, `${field}.${name}`, `is each job’s own; leave it out of ${of}`);
}

export function plannedJobFrom(
  wire: JobSubmission | undefined,
  planned: PlannedJob,
  maxPayload: number,
  violations: Violations,
): ScheduledJob {
  const { field, maxLabels } = planned;
  violations.check(wire !== undefined, field, 'is missing');
  const job = wire ?? create(JobSubmissionSchema, { definition: 'missing' });
  refuseOwn(job, planned, violations);
  const defaults = { maxPayload, trace: { traceparent: '', tracestate: '' }, maxLabels };
  const made = submissionFrom(job, field, defaults, violations);
  const { definition, definitionVersion, queue, input, labels, priority, retryPolicy, runTimeoutMs, demands } = made;
  // Sorted, so that equal content is the same schedule.
  const own = { definition, definitionVersion, queue, input, priority, retryPolicy, runTimeoutMs, demands };
  const { fairnessKey, softDeadline } = made;
  return { ...own, fairnessKey, softDeadline, labels: sortedMap(labels) };
}

export function plannedJobTo(job: ScheduledJob): JobSubmission {
  return create(JobSubmissionSchema, {
    definition: job.definition,
    definitionVersion: job.definitionVersion,
    queue: job.queue,
    input: payloadTo(job.input),
    labels: { ...job.labels },
    ...(job.priority === undefined ? {} : { priority: job.priority }),
    ...(job.retryPolicy ? { retryPolicy: retryPolicyTo(job.retryPolicy) } : {}),
    ...(job.runTimeoutMs === undefined ? {} : { runTimeout: durationTo(job.runTimeoutMs) }),
    ...(job.demands ? { demands: demandsTo(job.demands) } : {}),
    fairnessKey: job.fairnessKey ?? '',
    ...softDeadlineTo(job.softDeadline),
  });
}
