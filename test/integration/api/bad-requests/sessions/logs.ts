/** Log records that no worker sends, and wrong requests for lists. B64, B71: mere excess is cut instead. */
import { LogLevel } from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import { add, beat, listAttemptLogs, report, UUID } from '../base/builder.ts';

const record = { sequence: 1n, logTime: { seconds: 1n }, level: LogLevel.INFO, message: 'hello' };
const wrong: [string, object[], string][] = [
  ['without a number', [{ ...record, sequence: 0n }], 'logs[0].sequence'],
  ['with a negative number', [{ ...record, sequence: -1n }], 'logs[0].sequence'],
  ['whose number is int64', [{ ...record, sequence: 2n ** 63n - 1n }], 'logs[0].sequence'],
  ['whose number does not rise', [record, record], 'logs[1].sequence'],
  ['without a time', [{ ...record, logTime: undefined }], 'logs[0].log_time'],
  ['of the year 9999', [{ ...record, logTime: { seconds: 253_402_300_799n } }], 'logs[0].log_time'],
  ['without a level', [{ ...record, level: 0 }], 'logs[0].level'],
  ['of level 99', [{ ...record, level: 99 }], 'logs[0].level'],
];
for (const [what, logs, field] of wrong) {
  beat('', `log record ${what}`, { progress: [{ jobId: UUID, attempt: 1, logs }] }, `progress[0].${field}`);
  const outcome = { case: 'cancelled', value: {} } as const;
  report('', `log record ${what}`, { outcome, logs }, `reports[0].${field}`);
}

add('B37', 'ListAttemptLogs: job id x', listAttemptLogs, () => ({ jobId: 'x' }), ['job_id']);
add('B43', 'ListAttemptLogs: token x', listAttemptLogs, ({ jobId }) => ({ jobId, pageToken: 'x' }), ['page_token']);
add('', 'ListAttemptLogs: attempt -1', listAttemptLogs, ({ jobId }) => ({ jobId, attempt: -1 }), ['attempt']);
add('', 'ListAttemptLogs: page size -1', listAttemptLogs, ({ jobId }) => ({ jobId, pageSize: -1 }), ['page_size']);
add('', 'ListAttemptLogs: namespace No', listAttemptLogs, ({ jobId }) => ({ jobId, namespace: 'No' }), ['namespace']);
