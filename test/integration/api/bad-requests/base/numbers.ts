/** Enums, durations, numbers and times out of their bounds. */
import { add, beat, define, job, open, report, UUID, waitJob } from './builder.ts';

// --- B12: unknown enum values, and enums that must be set
for (const value of [99, -1]) {
  define('B12', `lease loss action ${value}`, { leaseLossAction: value as 1 }, 'definition.lease_loss_action');
  job('B12', `conflict policy ${value}`, { idempotencyConflictPolicy: value as 1 }, 'job.idempotency_conflict_policy');
  report(
    'B12',
    `release reason ${value}`,
    { outcome: { case: 'released', value: { reason: value as 1 } } },
    'reports[0].released.reason',
  );
}
report('B12', 'no release reason', { outcome: { case: 'released', value: {} } }, 'reports[0].released.reason');
report('', 'no outcome', {}, 'reports[0].outcome');

// --- B17, B18: durations
const spans = {
  'B17 negative': { seconds: -1n },
  'B17 of two signs': { seconds: 1n, nanos: -1 },
  'B17 of two signs, negative first': { seconds: -1n, nanos: 1 },
  'B17 with too many nanos': { seconds: 1n, nanos: 1_000_000_000 },
  'B18 over ten years': { seconds: 3_660n * 86_400n },
  'B18 of int64': { seconds: 2n ** 63n - 1n },
};
for (const [title, span] of Object.entries(spans)) {
  const [row = '', ...rest] = title.split(' ');
  const what = rest.join(' ');
  job(row, `run timeout ${what}`, { runTimeout: span }, 'job.run_timeout');
  job(row, `delay ${what}`, { start: { case: 'delay', value: span } }, 'job.delay');
  job(row, `backoff ${what}`, { retryPolicy: { maxBackoff: span } }, 'job.retry_policy.max_backoff');
  define(row, `cancel grace ${what}`, { cancelGrace: span }, 'definition.cancel_grace');
  define(row, `retention ${what}`, { retention: span }, 'definition.retention');
  define(
    row,
    `time for retries ${what}`,
    { retryPolicy: { maxRetryDuration: span } },
    'definition.retry_policy.max_retry_duration',
  );
  add(row, `wait ${what}`, waitJob, ({ jobId }) => ({ jobId, timeout: span }), ['timeout']);
  report(
    row,
    `retry delay ${what}`,
    { outcome: { case: 'failure', value: { retryDelay: span } } },
    'reports[0].failure.retry_delay',
  );
}
job('B18', 'run timeout of zero', { runTimeout: {} }, 'job.run_timeout');
define('B18', 'run timeout of zero', { runTimeout: {} }, 'definition.run_timeout');
define(
  '',
  'max backoff below min backoff',
  { retryPolicy: { minBackoff: { seconds: 9n }, maxBackoff: { seconds: 8n } } },
  'definition.retry_policy.max_backoff',
);

// --- B19, B20, B21: numbers
for (const value of [Number.NaN, Infinity, -Infinity, -0.5, 1e308]) {
  job('B19', `multiplier ${value}`, { retryPolicy: { multiplier: value } }, 'job.retry_policy.multiplier');
  beat(
    'B19',
    `progress ${value}`,
    { progress: [{ jobId: UUID, progress: { fraction: value } }] },
    'progress[0].progress.fraction',
  );
  open('B19', `resource ${value}`, { resources: { gpu: value } }, 'resources["gpu"]');
}
for (const value of [1.9996, 0.0005, 1e12 + 1])
  open('B19', `resource ${value}`, { resources: { gpu: value } }, 'resources["gpu"]');
for (const maxAttempts of [-1, 1_001, 2 ** 31 - 1]) {
  job('B20', `max attempts ${maxAttempts}`, { retryPolicy: { maxAttempts } }, 'job.retry_policy.max_attempts');
  define(
    'B20',
    `max attempts ${maxAttempts}`,
    { retryPolicy: { maxAttempts } },
    'definition.retry_policy.max_attempts',
  );
}
for (const priority of [-101, 101, 2 ** 31 - 1]) {
  job('B21', `priority ${priority}`, { priority }, 'job.priority');
  define('B21', `priority ${priority}`, { priority }, 'definition.priority');
}
for (const slots of [0, -1, 10_001]) open('B21', `slots ${slots}`, { slots }, 'slots');
job('', 'definition version -1', { definitionVersion: -1 }, 'job.definition_version');
open('', 'a handler for no version', { handlers: [{ name: 'x', minVersion: 3, maxVersion: 2 }] }, 'handlers[0]');
open('', 'a handler for version -1', { handlers: [{ name: 'x', minVersion: -1 }] }, 'handlers[0]');

// --- B23: times
job(
  'B23',
  'run time after expiry',
  { start: { case: 'runTime', value: { seconds: 2_000_000_001n } }, expireTime: { seconds: 2_000_000_000n } },
  'job.run_time',
);
job('', 'time before 1970', { expireTime: { seconds: -1n } }, 'job.expire_time');
job('', 'time of int64', { expireTime: { seconds: 2n ** 63n - 1n } }, 'job.expire_time');
job('', 'time with negative nanos', { expireTime: { seconds: 2_000_000_000n, nanos: -1 } }, 'job.expire_time');
