/** Invalid names and labels. */
import { add, cancelJob, define, getJob, getJobDefinition, job, listWorkers, manyLabels, open } from './builder.ts';

// --- B24 to B29: names
const names: Record<string, readonly [row: string, name: string]> = {
  '64 characters': ['B24', 'a'.repeat(64)],
  uppercase: ['B24', 'Mail'],
  'a leading dash': ['B24', '-mail'],
  'a star': ['B25', 'mail.*'],
  'a greater-than': ['B25', 'mail.>'],
  'a space': ['B25', 'send mail'],
  'a tab': ['B25', 'send\tmail'],
  'CR LF': ['B25', 'mail\r\nx: y'],
  'a newline at the end': ['B25', 'mail\n'],
  $SYS: ['B25', '$SYS.mail'],
  'a way up': ['B26', '../../etc/passwd'],
  'a slash': ['B26', 'a/b'],
  'an escaped slash': ['B26', 'a%2fb'],
  'a backslash': ['B26', 'a\\b'],
  'a device': ['B26', 'con'],
  'letters of another script': ['B24', 'mаil'],
  '5,000 characters': ['B28', 'a'.repeat(5_000)],
  'sys-': ['B29', 'sys-mail'],
  'internal-': ['B29', 'internal-mail'],
};
for (const [what, [row, name]] of Object.entries(names)) {
  job(row, `definition: ${what}`, { definition: name }, 'job.definition');
  job(row, `queue: ${what}`, { queue: name }, 'job.queue');
  define(row, `definition: ${what}`, { name }, 'definition.name');
  define(row, `handler: ${what}`, { body: { case: 'task', value: { handler: name } } }, 'definition.task.handler');
  define(row, `namespace: ${what}`, { namespace: name }, 'definition.namespace');
  open(row, `worker: ${what}`, { workerName: name }, 'worker_name');
  open(row, `handler: ${what}`, { handlers: [{ name: 'x' }, { name }] }, 'handlers[1].name');
  add(row, `namespace: ${what}`, getJob, ({ jobId }) => ({ jobId, namespace: name }), ['namespace']);
  add(row, `definition: ${what}`, getJobDefinition, () => ({ name }), ['name']);
}
for (const dotted of ['a.b', 'a_b']) {
  job('B25', `queue: ${dotted}`, { queue: dotted }, 'job.queue');
  add('B25', `namespace: ${dotted}`, listWorkers, () => ({ namespace: dotted }), ['namespace']);
}
job('B24', 'no definition', { definition: '' }, 'job.definition');
define('B24', 'no name', { name: '' }, 'definition.name');
open('B24', 'no name', { workerName: '' }, 'worker_name');
job('B28', 'idempotency key of 257 characters', { idempotencyKey: 'k'.repeat(257) }, 'job.idempotency_key');
job('B28', 'idempotency key of 5,000 characters', { idempotencyKey: 'k'.repeat(5_000) }, 'job.idempotency_key');
add('B28', 'reason of 257 characters', cancelJob, ({ jobId }) => ({ jobId, reason: 'r'.repeat(257) }), ['reason']);
define('B28', 'description of 1,025 characters', { description: 'd'.repeat(1_025) }, 'definition.description');
open('B28', 'resource of 5,000 characters', { resources: { ['r'.repeat(5_000)]: 1 } }, 'resources');

// --- B33: labels
const labels: Record<string, Record<string, string>> = {
  '65 of them': manyLabels,
  'no key': { '': 'x' },
  'a bad key': { 'a b': 'x' },
  'a key of 64 characters': { ['k'.repeat(64)]: 'x' },
  'a value of 257 characters': { key: 'v'.repeat(257) },
  'a reserved key': { 'muster/x': 'y' },
  'the key of a prototype': JSON.parse('{"__proto__":"x"}'),
  'a key whose cut splits a character': { [`${'k'.repeat(78)}😀😀`]: 'x' },
};
for (const [what, value] of Object.entries(labels)) {
  job('B33', `labels: ${what}`, { labels: value }, 'job.labels');
  define('B33', `labels: ${what}`, { labels: value }, 'definition.labels');
  open('B33', `labels: ${what}`, { labels: value }, 'labels');
}
job(
  'B33',
  'labels: 17 demanded',
  { demands: { labels: Object.fromEntries(Object.entries(manyLabels).slice(0, 17)) } },
  'job.demands.labels',
);
// Two rules are broken, and the error must still fit into trailers.
job(
  'B33',
  'labels: a reserved key of 100,000 characters',
  { labels: { [`muster/${'k'.repeat(100_000)}`]: 'x' } },
  'job.labels',
  'job.labels',
);
