/** Wrong requests about signal waits, signals and approvals. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { type SendSignalRequestSchema, SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { type WaitBody, WaitBodySchema } from '@muster-jobs/sdk/gen/muster/v1/wait_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, define } from '../base/builder.ts';

const { approveJob, rejectJob, sendSignal } = SignalService.method;

const NOT_THERE = '0198c0de-0000-7000-8000-00000000ffff';
const LONG = 'x'.repeat(257);
const text = (data: string, contentType = 'application/json') => ({ data: Buffer.from(data), contentType });

type Signal = MessageInitShape<typeof SendSignalRequestSchema>;
const send = (row: string, what: string, signal: Signal, ...fields: string[]) =>
  add(row, `SendSignal: ${what}`, sendSignal, () => ({ name: 'paid', ...signal }), fields);

// --- signals
for (const name of ['', 'Paid', '-paid', 'p'.repeat(64), 'a b', 'a\u0000'])
  send('', `name "${name}"`, { name }, 'name');
send('', 'a key of 257 characters', { key: LONG }, 'key');
send('', 'a key with a control character', { key: 'a\nb' }, 'key');
send('', 'kept for longer than 30 days', { keepFor: { seconds: 2_592_001n } }, 'keep_for');
send('', 'kept for less than no time', { keepFor: { seconds: -1n } }, 'keep_for');
send('', 'a payload that is too large', { payload: text('x'.repeat((512 << 10) + 1)) }, 'payload.data');
for (const requestId of ['x', '00000000-0000-0000-0000-000000000000'])
  send('B37', `signal id ${requestId}`, { requestId: requestId }, 'request_id');

// --- approvals
for (const id of ['', 'x', '0198c0de-0000-7000-8000-00000000000g']) {
  add('B37', `ApproveJob: job "${id}"`, approveJob, () => ({ jobId: id }), ['job_id']);
  add('B37', `RejectJob: job "${id}"`, rejectJob, () => ({ jobId: id }), ['job_id']);
}
for (const requestId of ['x', '00000000-0000-0000-0000-000000000000']) {
  add('B37', `ApproveJob: request id ${requestId}`, approveJob, ({ jobId }) => ({ jobId, requestId }), ['request_id']);
  add('B37', `RejectJob: request id ${requestId}`, rejectJob, ({ jobId }) => ({ jobId, requestId }), ['request_id']);
}
add('', 'ApproveJob: a long comment', approveJob, ({ jobId }) => ({ jobId, comment: LONG }), ['comment']);
add('', 'RejectJob: a long reason', rejectJob, ({ jobId }) => ({ jobId, reason: LONG }), ['reason']);
for (const data of ['', '{', 'x', '1 2'])
  add('', `ApproveJob: payload "${data}"`, approveJob, ({ jobId }) => ({ jobId, payload: text(data) }), [
    'payload.data',
  ]);
add(
  '',
  'ApproveJob: a payload that is no JSON',
  approveJob,
  ({ jobId }) => ({ jobId, payload: text('1', 'text/plain') }),
  ['payload.content_type'],
);
add(
  '',
  'ApproveJob: a payload with metadata',
  approveJob,
  ({ jobId }) => ({ jobId, payload: { ...text('1'), metadata: { a: 'b' } } }),
  ['payload.metadata'],
);
for (const method of [approveJob, rejectJob]) {
  const rpc = method as typeof rejectJob;
  const notFound = [Code.NOT_FOUND, 'JOB_NOT_FOUND'] as const;
  add('', `${rpc.name}: a job that is not there`, rpc, () => ({ jobId: NOT_THERE }), [], notFound);
  add('', `${rpc.name}: in another namespace`, rpc, ({ jobId }) => ({ jobId, namespace: 'other' }), [], notFound);
  const refusal = [Code.FAILED_PRECONDITION, 'JOB_NOT_AWAITING_APPROVAL'] as const;
  add('', `${rpc.name}: a task`, rpc, ({ jobId }) => ({ jobId }), [], refusal);
}

// --- definitions of signal waits
const wait = (kind: WaitBody['kind']) => ({ case: 'wait', value: create(WaitBodySchema, { kind }) }) as const;
const signal = (name: string, key = '') =>
  wait(create(WaitBodySchema, { kind: { case: 'signal', value: { name, key } } }).kind);
const approval = wait(create(WaitBodySchema, { kind: { case: 'approval', value: {} } }).kind);
define('', 'a wait for nothing', { body: wait({ case: undefined }) }, 'definition.wait');
define('', 'a signal without a name', { body: signal('') }, 'definition.wait.signal.name');
define('', 'a signal of a bad name', { body: signal('No Name') }, 'definition.wait.signal.name');
for (const key of ['input.', 'steps.a', 'x'.repeat(1_025)])
  define(
    '',
    `a key of the expression ${key.slice(0, 10)}`,
    { body: signal('paid', key) },
    'definition.wait.signal.key',
  );
const ofAttempts: readonly (readonly [MessageInitShape<typeof JobDefinitionSchema>, string])[] = [
  [{ retryPolicy: { maxAttempts: 2 } }, 'retry_policy'],
  [{ retryBudget: { ratio: 0.1 } }, 'retry_budget'],
  [{ demands: { labels: { gpu: 'yes' } } }, 'demands'],
  [{ progressTimeout: { seconds: 5n } }, 'progress_timeout'],
  [{ cancelGrace: { seconds: 5n } }, 'cancel_grace'],
  [{ maxConcurrency: 3 }, 'max_concurrency'],
  [{ keyLimit: { maxConcurrency: 1 } }, 'key_limit'],
];
for (const [given, field] of ofAttempts)
  define('', `a wait with ${field}`, { body: approval, ...given }, `definition.${field}`);
