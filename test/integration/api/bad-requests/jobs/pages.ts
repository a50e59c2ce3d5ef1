/** Wrong requests of CancelJobs, PauseJobs, ResumeJobs and RetryJobs. */
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { PausedTimeouts } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { add, cancelJobs, pauseJobs, resumeJobs, retryJobs } from '../base/builder.ts';

for (const [method, wrongStates] of [
  [cancelJobs, [JobState.SUCCEEDED, JobState.FAILED]],
  [pauseJobs, [JobState.SUCCEEDED, JobState.CANCELLED]],
  [resumeJobs, [JobState.SUCCEEDED, JobState.READY]],
  [retryJobs, [JobState.SUCCEEDED, JobState.READY, JobState.CANCELLING]],
] as const) {
  const as = method as typeof cancelJobs;
  const { name } = method;
  add('', `${name}: no filter`, as, () => ({}), ['filter']);
  for (const state of wrongStates) {
    add('', `${name}: state ${state}`, as, () => ({ filter: { states: [state] } }), ['filter.states']);
  }
  add('B12', `${name}: state 99`, as, () => ({ filter: { states: [99 as JobState] } }), ['filter.states']);
  add('B43', `${name}: token x`, as, () => ({ filter: {}, pageToken: 'x' }), ['page_token']);
  add('', `${name}: queue No`, as, () => ({ filter: { queue: 'No' } }), ['filter.queue']);
  add('', `${name}: namespace No`, as, () => ({ namespace: 'No', filter: {} }), ['namespace']);
  add('B37', `${name}: parent x`, as, () => ({ filter: { parentJobId: 'x' } }), ['filter.parent_job_id']);
  const window = { minCreateTime: { seconds: 9n }, maxCreateTime: { seconds: 8n } };
  add('', `${name}: a window that ends before it begins`, as, () => ({ filter: window }), ['filter.min_create_time']);
}
for (const method of [cancelJobs, pauseJobs, resumeJobs])
  add(
    '',
    `${method.name}: failure types`,
    method as typeof cancelJobs,
    () => ({ filter: { failureTypes: ['Error'] } }),
    ['filter.failure_types'],
  );
add('', 'PauseJobs: a grace period of jobs that are not to be stopped', pauseJobs, () => ({ filter: {}, grace: {} }), [
  'grace',
]);
add('', 'PauseJobs: unknown timeouts', pauseJobs, () => ({ filter: {}, timeouts: 9 as PausedTimeouts }), ['timeouts']);
add('', 'PauseJobs: a reason of 257 characters', pauseJobs, () => ({ filter: {}, reason: 'x'.repeat(257) }), [
  'reason',
]);
add('', 'CancelJobs: a reason of 257 characters', cancelJobs, () => ({ filter: {}, reason: 'x'.repeat(257) }), [
  'reason',
]);
add('B37', 'RetryJobs: request id x', retryJobs, () => ({ filter: {}, requestId: 'x' }), ['request_id']);
