/** Wrong requests about queues. */

import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add } from '../base/builder.ts';

const { createQueue, getQueue, listQueues, updateQueue, pauseQueue, resumeQueue, deleteQueue } = QueueService.method;
const notFound = [Code.NOT_FOUND, 'QUEUE_NOT_FOUND'] as const;

const names: Record<string, readonly [row: string, name: string]> = {
  'no name': ['B24', ''],
  '64 characters': ['B24', 'a'.repeat(64)],
  uppercase: ['B24', 'Mail'],
  'a leading dash': ['B24', '-mail'],
  'a star': ['B25', 'mail*'],
  'a dot': ['B25', 'a.b'],
  'a space': ['B25', 'a b'],
  'CR LF': ['B25', 'a\r\nb'],
  'a way up': ['B26', '../../etc/passwd'],
  'a device': ['B26', 'con'],
  '5,000 characters': ['B28', 'a'.repeat(5_000)],
  'sys-': ['B29', 'sys-mail'],
  'internal-': ['B29', 'internal-mail'],
};
for (const [what, [row, name]] of Object.entries(names)) {
  add(row, `CreateQueue: name ${what}`, createQueue, () => ({ queue: { name } }), ['queue.name']);
  add(row, `UpdateQueue: name ${what}`, updateQueue, () => ({ queue: { name, description: 'x' } }), ['queue.name']);
  for (const method of [getQueue, pauseQueue, resumeQueue, deleteQueue]) {
    add(row, `${method.name}: name ${what}`, method as typeof getQueue, () => ({ name }), ['name']);
  }
}
for (const method of [getQueue, pauseQueue, resumeQueue, deleteQueue]) {
  const as = method as typeof getQueue;
  add('B24', `${method.name}: namespace No`, as, () => ({ namespace: 'No', name: 'q' }), ['namespace']);
  add('', `${method.name}: an unknown queue`, as, () => ({ name: 'missing' }), [], notFound);
  add('B15', `${method.name}: another namespace's`, as, () => ({ namespace: 'other', name: 'default' }), [], notFound);
}
for (const method of [pauseQueue, resumeQueue, deleteQueue]) {
  const request = () => ({ name: 'default', requestId: 'x' });
  add('B37', `${method.name}: request id x`, method as typeof pauseQueue, request, ['request_id']);
}
add('', 'PauseQueue: a reason of 257 characters', pauseQueue, () => ({ name: 'default', reason: 'r'.repeat(257) }), [
  'reason',
]);
add('B11', 'PauseQueue: a NUL in the reason', pauseQueue, () => ({ name: 'default', reason: 'a\0b' }), ['reason']);
add(
  'B67',
  'DeleteQueue: open jobs',
  deleteQueue,
  () => ({ name: 'default' }),
  [],
  [Code.FAILED_PRECONDITION, 'QUEUE_NOT_EMPTY'],
);
add(
  'B30',
  'CreateQueue: a queue that is there',
  createQueue,
  () => ({ queue: { name: 'default' } }),
  [],
  [Code.ALREADY_EXISTS, 'QUEUE_EXISTS'],
);

const create = (row: string, what: string, queue: object, ...fields: string[]) =>
  add(row, `CreateQueue: ${what}`, createQueue, () => ({ queue: { name: 'new', ...queue } }), fields);
const update = (row: string, what: string, queue: object, mask: readonly string[] | undefined, ...fields: string[]) =>
  add(
    row,
    `UpdateQueue: ${what}`,
    updateQueue,
    () => ({ queue: { name: 'default', ...queue }, ...(mask ? { updateMask: { paths: [...mask] } } : {}) }),
    fields,
  );

add('', 'CreateQueue: no queue', createQueue, () => ({}), ['queue']);
add('', 'UpdateQueue: no queue', updateQueue, () => ({}), ['queue']);
create('B24', 'namespace No', { namespace: 'No' }, 'queue.namespace');
create('B28', 'a description of 1,025 characters', { description: 'd'.repeat(1_025) }, 'queue.description');
create('B11', 'a NUL in the description', { description: 'a\0b' }, 'queue.description');
create('B21', 'a negative concurrency', { maxConcurrency: -1 }, 'queue.max_concurrency');
create('B21', 'a concurrency above 100,000', { maxConcurrency: 100_001 }, 'queue.max_concurrency');
create('B21', 'a rate of no units', { rateLimit: {} }, 'queue.rate_limit.units');
create('B21', 'a burst above 1,000,000', { rateLimit: { units: 1, burst: 1_000_001 } }, 'queue.rate_limit.burst');
create('B17', 'a negative period', { rateLimit: { units: 1, period: { seconds: -1n } } }, 'queue.rate_limit.period');
create('B18', 'a period of no time', { rateLimit: { units: 1, period: {} } }, 'queue.rate_limit.period');
for (const weight of [0, -1, 100.5, Number.NaN, Number.POSITIVE_INFINITY, 1e308])
  create('B19', `a weight of ${weight}`, { fairnessWeights: { a: weight } }, 'queue.fairness_weights["a"]');
create('B21', 'an empty key of a weight', { fairnessWeights: { '': 2 } }, 'queue.fairness_weights');
create('B28', 'a key of 5,000 characters', { fairnessWeights: { ['k'.repeat(5_000)]: 2 } }, 'queue.fairness_weights');
create(
  'B21',
  '501 weights',
  { fairnessWeights: Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`k${i}`, 2])) },
  'queue.fairness_weights',
);
add('B37', 'CreateQueue: request id x', createQueue, () => ({ queue: { name: 'new' }, requestId: 'x' }), [
  'request_id',
]);

const tooMuch: Record<string, readonly [row: string, queue: object, field: string]> = {
  'a negative backlog': ['B21', { maxBacklog: -1n }, 'queue.max_backlog'],
  'a backlog of 1,000,000,001': ['B21', { maxBacklog: 1_000_000_001n }, 'queue.max_backlog'],
  'a backlog of int64': ['B21', { maxBacklog: 2n ** 63n - 1n }, 'queue.max_backlog'],
  'a negative age': ['B17', { maxBacklogAge: { seconds: -1n } }, 'queue.max_backlog_age'],
  'an age of two signs': ['B17', { maxBacklogAge: { seconds: 1n, nanos: -1 } }, 'queue.max_backlog_age'],
  'no age': ['B17', { maxBacklogAge: {} }, 'queue.max_backlog_age'],
  'an age below a second': ['B17', { maxBacklogAge: { nanos: 999_000_000 } }, 'queue.max_backlog_age'],
  'an age above 30 days': ['B18', { maxBacklogAge: { seconds: 2_592_001n } }, 'queue.max_backlog_age'],
};
for (const [what, [row, queue, field]] of Object.entries(tooMuch)) {
  create(row, what, queue, field);
  update(row, what, queue, undefined, field);
}

update('B38', 'an unknown path', {}, ['colour'], 'update_mask');
update('B38', 'a star', {}, ['*'], 'update_mask');
update('B38', 'an immutable path', {}, ['name'], 'update_mask');
update('B38', 'output-only paths', {}, ['paused', 'counts'], 'update_mask', 'update_mask');
update('B38', 'an empty mask', {}, [], 'update_mask');
update('B38', 'a path of 5,000 characters', {}, ['p'.repeat(5_000)], 'update_mask');
update('B21', 'a negative concurrency', { maxConcurrency: -1 }, ['max_concurrency'], 'queue.max_concurrency');
update('B38', 'a part of a rate limit', { rateLimit: { units: 1 } }, ['rate_limit.units'], 'update_mask');
add(
  'B39',
  'UpdateQueue: a stale etag',
  updateQueue,
  () => ({ queue: { name: 'default', description: 'x', etag: '99-x' } }),
  [],
  [Code.ABORTED, 'ETAG_STALE'],
);
add(
  '',
  'UpdateQueue: an etag of 65 characters',
  updateQueue,
  () => ({ queue: { name: 'default', etag: 'e'.repeat(65) } }),
  ['queue.etag'],
);
add('', 'UpdateQueue: an unknown one', updateQueue, () => ({ queue: { name: 'missing' } }), [], notFound);

add('B42', 'ListQueues: page size -1', listQueues, () => ({ pageSize: -1 }), ['page_size']);
for (const [what, pageToken] of Object.entries({
  garbage: 'x',
  'of another list': Buffer.from('default/0198c0de-0000-7000-8000-000000000001/0123456789abcdef').toString('base64url'),
  'of 5,000 characters': 'A'.repeat(5_000),
})) {
  add('B43', `ListQueues: token ${what}`, listQueues, () => ({ pageToken }), ['page_token']);
}
add('B24', 'ListQueues: namespace No', listQueues, () => ({ namespace: 'No' }), ['namespace']);
