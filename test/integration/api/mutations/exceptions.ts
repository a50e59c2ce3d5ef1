/** Fields that accept a value that others of their kind refuse, with the reason; by message and field. */
import { Code } from '../../../../server/api/base/code.ts';

export interface Exception {
  /** The names of the values. Default: all. */
  readonly values?: RegExp;
  /** Not an exception below these prefixes of the path. */
  readonly notBelow?: readonly string[];
  /** The code of the answer. Default: OK. */
  readonly code?: number;
  readonly why: string;
}

const ignored = { why: 'set by the server: ignored in requests' };
const cut = { why: 'cut and cleaned, not refused: a job must not fail over the text of its failure' };
const asWritten = { why: 'a log is what the handler wrote: cut where it is too long, and never refused' };
const stale = { why: 'a stale attempt is answered item by item, or passed over in a beat' };
/** The answer for a step with just this field. */
const restIsMissing = { code: Code.INVALID_ARGUMENT };
const notThere = { values: /^2147483647$/, code: Code.NOT_FOUND, why: 'a version that could be there' };

/** Prefixes of the paths below messages that only answers set. */
const setByServer = ['batch.job.', 'batch.counts.', 'batch.retry.'];

export const exceptions: Readonly<Record<string, Exception>> = {
  'JobDefinition.version': ignored,
  'JobDefinition.create_time': ignored,
  'JobDefinition.archive_time': ignored,
  'Queue.create_time': ignored,
  'Batch.seal_time': ignored,
  'Batch.end_rate': ignored,
  'Batch.estimated_end_time': ignored,
  'Batch.callback_job_id': ignored,
  'Batch.callback_error': ignored,
  'Schedule.create_time': ignored,
  'Schedule.update_time': ignored,
  'Schedule.next_time': ignored,
  'Schedule.job_count': ignored,
  'Trigger.create_time': ignored,
  'Trigger.update_time': ignored,
  'Trigger.job_count': ignored,
  'PreviewScheduleRequest.count': { values: /^2147483647$/, why: 'cut to what there may be, as a size of a page' },
  ...Object.fromEntries(
    ['blocked', 'scheduled', 'ready', 'paused', 'leased', 'waiting'].map((state) => [`QueueCounts.${state}`, ignored]),
  ),
  'JobSubmission.definition_version': notThere,
  'GetJobDefinitionRequest.version': notThere,
  'GetRolloutRequest.version': notThere,
  'UpdateRolloutRequest.version': notThere,
  'PromoteRolloutRequest.version': notThere,
  'RollBackRolloutRequest.version': notThere,
  'WorkflowStep.definition_version': { ...restIsMissing, values: /^2147483647$/, why: 'a version that could be there' },
  'Compensation.definition_version': {
    ...restIsMissing,
    values: /^2147483647$/,
    why: 'a version that could be there',
  },
  'ParentAttempt.attempt': { ...restIsMissing, values: /^2147483647$/, why: 'an attempt that could be there' },
  'ListAuditRecordsRequest.job_id': { values: /^nothing$/, why: 'records of every job' },
  'WorkflowStep.name': { ...restIsMissing, values: /^a device$/, why: 'a step has no file and no subject' },
  'JobSubmission.traceparent': {
    notBelow: ['schedule.', 'trigger.', 'batch.callback.'],
    why: 'W3C asks to drop a malformed trace context, and not to fail the call',
  },
  'Handler.min_version': { values: /^2147483647$/, why: 'a version that may come' },
  'Handler.max_version': { values: /^2147483647$/, why: 'a version that may come' },
  'WatchAttemptLogsRequest.attempt': { values: /^2147483647$/, why: 'an attempt that may come' },
  'ListAttemptLogsRequest.attempt': { values: /^2147483647$/, why: 'an attempt that may come' },
  'WatchEventsRequest.after_position': {
    values: /^\d+$/,
    code: Code.OUT_OF_RANGE,
    why: 'EVENT_POSITION_GONE: no fault of a field, the stream has not come so far',
  },
  'WatchEventsRequest.job_id': { values: /^nothing$/, why: 'events of every job' },
  'OpenSessionRequest.capabilities': { why: 'unknown capabilities are ignored, whatever their names' },
  'OpenSessionRequest.protocol_version': {
    code: Code.FAILED_PRECONDITION,
    why: 'PROTOCOL_VERSION_UNSUPPORTED: no fault of a field, the worker is too old or too new',
  },
  'Failure.type': cut,
  'Failure.message': cut,
  'Failure.stack_trace': cut,
  'Failure.failure_cause': { why: 'a cause that only the server or a newer release names counts as APPLICATION' },
  'LogRecord.message': asWritten,
  'LogRecord.fields': asWritten,
  'LogRecord.attempt': ignored,
  'LogRecord.skipped_count': ignored,
  'Progress.estimated_end_time': ignored,
  'HeldAttempt.attempt': stale,
  'ProgressUpdate.attempt': stale,
  'AttemptReport.attempt': stale,
};

export function exceptionOf(field: string, what: string, path: string): Exception | undefined {
  const exception = exceptions[field];
  if (setByServer.some((begin) => path.startsWith(begin))) return ignored;
  if (exception?.notBelow?.some((begin) => path.startsWith(begin))) return undefined;
  return exception && (exception.values?.test(what) ?? true) ? exception : undefined;
}
