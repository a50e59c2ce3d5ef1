/** Protocol versions, missing fields, several errors at once, and features that this release lacks. */

import { IdempotencyConflictPolicy } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { outcomes } from '../../base/test-worker.ts';
import {
  add,
  applyJobDefinition,
  cancelJob,
  define,
  explainJob,
  getJob,
  getJobDefinition,
  heartbeat,
  job,
  openSession,
  reportAttempts,
  submitJob,
  submitJobs,
  UUID,
  waitJob,
} from './builder.ts';

// --- B70: protocol versions
for (const protocolVersion of [0, 2, -1]) {
  add(
    'B70',
    `protocol ${protocolVersion}`,
    openSession,
    () => ({ protocolVersion, workerName: 'worker', slots: 1, handlers: [{ name: 'x' }] }),
    [],
    [Code.FAILED_PRECONDITION, 'PROTOCOL_VERSION_UNSUPPORTED'],
  );
}

// --- missing fields, several errors at once, and features that this release lacks
add('', 'no definition', applyJobDefinition, () => ({}), ['definition']);
define('', 'no body', { body: { case: undefined } }, 'definition.body');
job(
  '',
  'three wrong fields',
  { priority: 101, queue: 'No', runTimeout: {} },
  'job.priority',
  'job.queue',
  'job.run_timeout',
);
add(
  '',
  'an unknown definition',
  submitJob,
  () => ({ job: { definition: 'missing' } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  '',
  'an unknown version',
  submitJob,
  ({ definition }) => ({ job: { definition, definitionVersion: 9 } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  'B15',
  "another namespace's definition",
  submitJob,
  ({ definition }) => ({ namespace: 'other', job: { definition } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  'B15',
  "another namespace's definition",
  getJobDefinition,
  ({ definition }) => ({ namespace: 'other', name: definition }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
for (const method of [getJob, explainJob, waitJob, cancelJob]) {
  const missing = [Code.NOT_FOUND, 'JOB_NOT_FOUND'] as const;
  const as = method as typeof getJob;
  add('B37', `${method.name}: nil job`, as, () => ({ jobId: '00000000-0000-0000-0000-000000000000' }), [], missing);
  add('B65', `${method.name}: unknown job`, as, () => ({ jobId: '0198c0de-0000-7000-8000-000000000001' }), [], missing);
  add(
    'B15',
    `${method.name}: another namespace's job`,
    as,
    ({ jobId }) => ({ namespace: 'other', jobId }),
    [],
    missing,
  );
}

// --- calls that the current state forbids
const conflict = [Code.ALREADY_EXISTS, 'IDEMPOTENCY_CONFLICT'] as const;
const ended = [Code.FAILED_PRECONDITION, 'JOB_ENDED'] as const;
const lost = [Code.FAILED_PRECONDITION, 'LEASE_LOST'] as const;
add(
  'B32',
  'a key with other content',
  submitJob,
  ({ definition, idempotencyKey }) => ({ job: { definition, idempotencyKey, priority: 9 } }),
  [],
  conflict,
);
add(
  '',
  'a key and the policy FAIL',
  submitJob,
  ({ definition, idempotencyKey }) => ({
    job: { definition, idempotencyKey, idempotencyConflictPolicy: IdempotencyConflictPolicy.FAIL },
  }),
  [],
  conflict,
);
add(
  'B72',
  'one conflict of three jobs',
  submitJobs,
  ({ definition, idempotencyKey }) => ({
    jobs: ['fresh-1', idempotencyKey, 'fresh-2'].map((key) => ({ definition, idempotencyKey: key, priority: 9 })),
  }),
  [],
  conflict,
);
add(
  '',
  'a request id with another body',
  submitJob,
  ({ definition, requestId }) => ({ requestId, job: { definition } }),
  ['request_id'],
  [Code.INVALID_ARGUMENT, 'REQUEST_ID_REUSED'],
);
add('B65', 'a job that has ended', cancelJob, ({ endedJobId }) => ({ jobId: endedJobId }), [], ended);
add(
  'B61',
  'a heartbeat of a closed session',
  heartbeat,
  ({ closedSessionId }) => ({ sessionId: closedSessionId, held: [{ jobId: UUID, attempt: 1 }] }),
  [],
  lost,
);
add(
  'B61',
  'a report of a closed session',
  reportAttempts,
  ({ closedSessionId }) => ({
    sessionId: closedSessionId,
    reports: [{ jobId: UUID, attempt: 1, outcome: outcomes.aborted }],
  }),
  [],
  lost,
);
add('B61', 'a heartbeat of no session', heartbeat, () => ({ sessionId: UUID }), [], lost);
