/** Ids, page tokens and counters. */
import {
  add,
  beat,
  cancelJob,
  closeSession,
  explainJob,
  getJob,
  heartbeat,
  listWorkers,
  open,
  pauseJob,
  report,
  resumeJob,
  submitJob,
  UUID,
  updateJob,
  waitJob,
} from './builder.ts';

// --- B37: ids
for (const id of [
  '',
  'x',
  "' OR 1=1--",
  '0198c0de',
  '{0198c0de-0000-7000-8000-000000000001}',
  '0198c0de-0000-7000-8000-00000000000g',
]) {
  for (const method of [getJob, explainJob, waitJob, cancelJob, pauseJob, resumeJob]) {
    add('B37', `${method.name}: job ${JSON.stringify(id)}`, method as typeof getJob, () => ({ jobId: id }), ['job_id']);
  }
}
for (const requestId of ['x', '00000000-0000-0000-0000-000000000000']) {
  add('B37', `request id ${requestId}`, submitJob, ({ definition }) => ({ requestId, job: { definition } }), [
    'request_id',
  ]);
  for (const method of [cancelJob, pauseJob, resumeJob]) {
    add(
      'B37',
      `${method.name}: request id ${requestId}`,
      method as typeof cancelJob,
      ({ jobId }) => ({ requestId, jobId }),
      ['request_id'],
    );
  }
  add('B37', `request id ${requestId}`, updateJob, ({ jobId }) => ({ requestId, jobId, priority: 1 }), ['request_id']);
  open('B37', `request id ${requestId}`, { requestId }, 'request_id');
}
for (const bytes of [new Uint8Array(), new Uint8Array(15), new Uint8Array(17)]) {
  const what = `id of ${bytes.length} bytes`;
  add('B37', what, heartbeat, () => ({ sessionId: bytes }), ['session_id']);
  add('B37', what, closeSession, () => ({ sessionId: bytes }), ['session_id']);
  report('B37', what, { jobId: bytes, outcome: { case: 'aborted', value: {} } }, 'reports[0].job_id');
  beat('B37', what, { heldAttempts: [{ jobId: UUID }, { jobId: bytes }] }, 'held_attempts[1].job_id');
}

// --- B42, B43: pages
add('B42', 'page of -1', listWorkers, () => ({ pageSize: -1 }), ['page_size']);
for (const token of [
  'x',
  '!!!',
  'ZGVmYXVsdA',
  Buffer.from('default/0198c0de-0000-7000-8000-000000000001').toString('base64url'),
]) {
  add('B43', `token ${token}`, listWorkers, () => ({ pageToken: token }), ['page_token']);
}

// --- Counters that JavaScript or the store can not hold exactly: one credit of 2^64 - 1 made every claim with it fail.
for (const counter of [2n ** 53n, 2n ** 64n - 1n]) {
  beat('', `credit ${counter}`, { credits: [{ creditId: counter, slots: 1 }] }, 'credits[0].credit_id');
  beat('', `voided credit ${counter}`, { voidedCreditIds: [1n, counter] }, 'voided_credit_ids[1]');
  beat('', `ping ${counter}`, { pingEcho: counter }, 'ping_echo');
}
for (const sequence of [2n ** 53n, 2n ** 63n - 1n, -1n]) {
  beat('', `sequence ${sequence}`, { progress: [{ jobId: UUID, sequence }] }, 'progress[0].sequence');
}
for (const [slots, prefetch] of [
  [-1, 0],
  [0, -1],
  [10_000, 1],
  [2 ** 31 - 1, 2 ** 31 - 1],
] as const) {
  beat('', `credit of ${slots} and ${prefetch} places`, { credits: [{ creditId: 1n, slots, prefetch }] }, 'credits[0]');
}
const half = { slots: 5_000, prefetch: 1 };
const twoHalves = [1n, 2n].map((creditId) => ({ creditId, ...half }));
beat('', 'two credits of 5,001 places', { credits: twoHalves }, 'credits');
