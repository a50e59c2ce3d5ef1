/** The builders of the catalogue's requests: a valid one of each kind, and the change that makes it wrong. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { CircuitBreakerService } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import type { JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import type { AttemptReportSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import {
  type OpenSessionRequestSchema,
  type SendHeartbeatRequestSchema,
  SessionService,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';

/** Objects that the requests may refer to; they exist before the first request. */
export interface Seed {
  readonly definition: string;
  /** Its jobs have keys from `input.tenant`. */
  readonly limited: string;
  /** Its limit is reached by one open job. */
  readonly full: string;
  /** The outermost and the innermost of sixteen nested workflows. */
  readonly nested: string;
  readonly innermost: string;
  readonly sessionId: Uint8Array;
  readonly closedSessionId: Uint8Array;
  /** A waiting job, submitted with this key and this request id. */
  readonly jobId: string;
  readonly idempotencyKey: string;
  readonly requestId: string;
  /** A job that has ended, but was not cancelled. */
  readonly endedJobId: string;
}

export interface BadRequest {
  /** Row of the catalogue; empty if the catalogue does not list it. */
  readonly row: string;
  readonly what: string;
  readonly method: DescMethodUnary;
  readonly request: (seed: Seed) => MessageInitShape<DescMessage>;
  readonly code: number;
  readonly reason: string;
  /** Fields that BadRequest must name, in order. */
  readonly fields: readonly string[];
}

export type Submission = MessageInitShape<typeof JobSubmissionSchema>;
export type Definition = MessageInitShape<typeof JobDefinitionSchema>;
type Offer = MessageInitShape<typeof OpenSessionRequestSchema>;
type Beat = MessageInitShape<typeof SendHeartbeatRequestSchema>;
type Report = MessageInitShape<typeof AttemptReportSchema>;

/** The id of a job that does not exist. */
export const UUID = Buffer.from('0198c0de000070008000000000000001', 'hex');
/** Every request, in the order in which they were added. */
export const added: BadRequest[] = [];

export function add<I extends DescMessage>(
  row: string,
  what: string,
  method: DescMethodUnary<I, DescMessage>,
  request: (seed: Seed) => MessageInitShape<I>,
  fields: readonly string[],
  [code, reason]: readonly [number, string] = [Code.INVALID_ARGUMENT, 'INVALID_FIELD'],
): void {
  added.push({
    row,
    what,
    method: method as DescMethodUnary,
    request: request as BadRequest['request'],
    code,
    reason,
    fields,
  });
}

export const { submitJob, submitJobs, getJob, explainJob, waitJob, cancelJob, listAttemptLogs } = JobService.method;
export const { pauseJob, resumeJob, updateJob, retryJob, eraseJob, retryJobs, cancelJobs, pauseJobs, resumeJobs } =
  JobService.method;
export const { openSession, sendHeartbeat: heartbeat, reportAttempts, closeSession } = SessionService.method;
export const { listCircuitBreakers, closeCircuitBreaker } = CircuitBreakerService.method;
export const { applyJobDefinition, archiveJobDefinition, getJobDefinition, listJobDefinitions } =
  JobDefinitionService.method;
export const { listWorkers, getWorker, drainWorker } = WorkerService.method;

export function job(row: string, what: string, change: Submission, ...fields: string[]): void {
  add(row, what, submitJob, ({ definition }) => ({ job: { definition, ...change } }), fields);
}

export function define(row: string, what: string, change: Definition, ...fields: string[]): void {
  const good = { name: 'new', body: { case: 'task', value: {} } } as const;
  add(row, what, applyJobDefinition, () => ({ definition: { ...good, ...change } }), fields);
}

export function open(row: string, what: string, change: Offer, ...fields: string[]): void {
  const good = { workerName: 'worker', protocolVersion: 1, slots: 1, handlers: [{ name: 'x' }] };
  add(row, what, openSession, () => ({ ...good, ...change }), fields);
}

export function beat(row: string, what: string, change: Beat, ...fields: string[]): void {
  add(row, what, heartbeat, ({ sessionId }) => ({ sessionId, ...change }), fields);
}

export function report(row: string, what: string, change: Report, ...fields: string[]): void {
  const request = ({ sessionId }: Seed) => ({ sessionId, reports: [{ jobId: UUID, attempt: 1, ...change }] });
  add(row, what, reportAttempts, request, fields);
}

export const tooLarge = new Uint8Array((512 << 10) + 1);
export const manyLabels = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`key-${i}`, '']));
