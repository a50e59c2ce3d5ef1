/** Wrong requests to change a submitted job. */
import { Code } from '../../../../../server/api/base/code.ts';
import { add, eraseJob, pauseJob, resumeJob, retryJob, updateJob } from '../base/builder.ts';

const missing = [Code.NOT_FOUND, 'JOB_NOT_FOUND'] as const;
const ended = [Code.FAILED_PRECONDITION, 'JOB_ENDED'] as const;
const nobody = '0198c0de-0000-7000-8000-000000000001';

for (const method of [pauseJob, resumeJob]) {
  const as = method as typeof resumeJob;
  add('B65', `${method.name}: unknown job`, as, () => ({ jobId: nobody }), [], missing);
  add(
    'B15',
    `${method.name}: another namespace's job`,
    as,
    ({ jobId }) => ({ namespace: 'other', jobId }),
    [],
    missing,
  );
  add('B65', `${method.name}: a job that has ended`, as, ({ endedJobId }) => ({ jobId: endedJobId }), [], ended);
}
add('', 'a reason of 257 characters', pauseJob, ({ jobId }) => ({ jobId, reason: 'x'.repeat(257) }), ['reason']);
add('', 'a reason of two lines', pauseJob, ({ jobId }) => ({ jobId, reason: 'a\nb' }), ['reason']);

// --- UpdateJob
add('', 'nothing to change', updateJob, ({ jobId }) => ({ jobId }), ['priority']);
add('B37', 'UpdateJob: job x', updateJob, () => ({ jobId: 'x', priority: 1 }), ['job_id']);
for (const priority of [-101, 101]) {
  add('B21', `UpdateJob: priority ${priority}`, updateJob, ({ jobId }) => ({ jobId, priority }), ['priority']);
}
const late = { seconds: 4_000_000_000n };
add(
  'B23',
  'UpdateJob: run time after expiry',
  updateJob,
  ({ jobId }) => ({ jobId, runTime: { seconds: 4_000_000_001n }, expireTime: late }),
  ['run_time'],
);
add('', 'UpdateJob: run time before 1970', updateJob, ({ jobId }) => ({ jobId, runTime: { seconds: -1n } }), [
  'run_time',
]);
add('', 'UpdateJob: an expiry that has passed', updateJob, ({ jobId }) => ({ jobId, expireTime: { seconds: 1n } }), [
  'expire_time',
]);
add('B65', 'UpdateJob: unknown job', updateJob, () => ({ jobId: nobody, priority: 1 }), [], missing);
add(
  'B15',
  "UpdateJob: another namespace's job",
  updateJob,
  ({ jobId }) => ({ namespace: 'other', jobId, priority: 1 }),
  [],
  missing,
);
add(
  'B65',
  'UpdateJob: a job that has ended',
  updateJob,
  ({ endedJobId }) => ({ jobId: endedJobId, priority: 1 }),
  [],
  ended,
);

// --- RetryJob and EraseJob
const open = [Code.FAILED_PRECONDITION, 'JOB_NOT_ENDED'] as const;
const reason = 'asked for by the customer';
add('B37', 'RetryJob: job x', retryJob, () => ({ jobId: 'x' }), ['job_id']);
add('B37', 'RetryJob: request id x', retryJob, ({ endedJobId }) => ({ jobId: endedJobId, requestId: 'x' }), [
  'request_id',
]);
add('B65', 'RetryJob: unknown job', retryJob, () => ({ jobId: nobody }), [], missing);
add(
  'B15',
  "RetryJob: another namespace's job",
  retryJob,
  ({ endedJobId }) => ({ namespace: 'other', jobId: endedJobId }),
  [],
  missing,
);
const skips = (what: string, skipSteps: string[], field: string) =>
  add('', `RetryJob: ${what}`, retryJob, ({ endedJobId }) => ({ jobId: endedJobId, skipSteps }), [field]);
skips('101 steps to skip', Array(101).fill('a'), 'skip_steps');
skips('a step that has no name', ['a', ''], 'skip_steps[1]');
skips('a step a-b', ['a-b'], 'skip_steps[0]');
skips('a step named twice', ['a', 'b', 'a'], 'skip_steps[2]');
for (const why of ['x'.repeat(1_025), 'a\nb'])
  add(
    '',
    `RetryJob: a reason of ${why.length} characters`,
    retryJob,
    ({ endedJobId }) => ({ jobId: endedJobId, reason: why }),
    ['reason'],
  );
add(
  '',
  'RetryJob: steps to skip of a task',
  retryJob,
  ({ endedJobId }) => ({ jobId: endedJobId, skipSteps: ['a'] }),
  [],
  [Code.FAILED_PRECONDITION, 'NOT_A_WORKFLOW'],
);
add('', 'RetryJob: a job that waits', retryJob, ({ jobId }) => ({ jobId }), [], open);
add(
  '',
  'RetryJob: the request id of a submission',
  retryJob,
  ({ endedJobId, requestId }) => ({ jobId: endedJobId, requestId }),
  ['request_id'],
  [Code.INVALID_ARGUMENT, 'REQUEST_ID_REUSED'],
);
add('B37', 'EraseJob: job x', eraseJob, () => ({ jobId: 'x', reason }), ['job_id']);
add('', 'EraseJob: no reason', eraseJob, ({ endedJobId }) => ({ jobId: endedJobId }), ['reason']);
add(
  '',
  'EraseJob: a reason of 257 characters',
  eraseJob,
  ({ endedJobId }) => ({ jobId: endedJobId, reason: 'x'.repeat(257) }),
  ['reason'],
);
add('B65', 'EraseJob: unknown job', eraseJob, () => ({ jobId: nobody, reason }), [], missing);
add(
  'B15',
  "EraseJob: another namespace's job",
  eraseJob,
  ({ endedJobId }) => ({ namespace: 'other', jobId: endedJobId, reason }),
  [],
  missing,
);
add('', 'EraseJob: a job that waits', eraseJob, ({ jobId }) => ({ jobId, reason }), [], open);
