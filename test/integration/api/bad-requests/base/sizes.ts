/** Fields that are too large, and lists with too many or too few items. */
import { Code } from '../../../../../server/api/base/code.ts';
import {
  add,
  beat,
  job,
  manyLabels,
  open,
  report,
  reportAttempts,
  submitJob,
  submitJobs,
  tooLarge,
  UUID,
} from './builder.ts';

// --- B34, B64: sizes
job('B34', 'input over 512 KiB', { input: { data: tooLarge } }, 'job.input.data');
report(
  'B64',
  'result over 512 KiB',
  { outcome: { case: 'result', value: { data: tooLarge } } },
  'reports[0].result.data',
);
beat(
  'B64',
  'checkpoint over 512 KiB',
  { progress: [{ jobId: UUID, checkpoint: { data: tooLarge } }] },
  'progress[0].checkpoint.data',
);
for (const fraction of [1.01, -1]) {
  beat(
    'B64',
    `progress ${fraction}`,
    { progress: [{ jobId: UUID, progress: { fraction } }] },
    'progress[0].progress.fraction',
  );
}
const badCounts: [string, Partial<{ done: bigint; total: bigint; unit: string }>][] = [
  ['done', { done: -1n }],
  ['done', { done: 2n ** 53n }],
  ['total', { total: 1n }],
  ['unit', { unit: 'rows' }],
  ['total', { done: 1n, total: -1n }],
  ['unit', { done: 1n, unit: 'u'.repeat(33) }],
];
for (const [field, progress] of badCounts) {
  const shown = Object.entries(progress).map(([key, value]) => `${key} ${value}`);
  beat('B64', `progress of ${shown}`, { progress: [{ jobId: UUID, progress }] }, `progress[0].progress.${field}`);
}
job(
  '',
  '17 entries of metadata',
  { input: { metadata: Object.fromEntries(Object.entries(manyLabels).slice(0, 17)) } },
  'job.input.metadata',
);
job('', '1,025 characters of metadata', { input: { metadata: { a: 'x'.repeat(1_024) } } }, 'job.input.metadata');

// --- B72: batches
add('B72', 'no job', submitJobs, () => ({}), ['jobs']);
add('B72', 'no job', submitJob, () => ({}), ['job']);
add(
  'B72',
  '10,001 jobs',
  submitJobs,
  ({ definition }) => ({ jobs: Array.from({ length: 10_001 }, () => ({ definition })) }),
  ['jobs'],
);
add(
  'B72',
  'one bad job of three',
  submitJobs,
  ({ definition }) => ({ jobs: [{ definition }, { definition, priority: 101 }, { definition }] }),
  ['jobs[1].priority'],
);
add(
  'B72',
  'a key twice',
  submitJobs,
  ({ definition }) => ({ jobs: ['a', 'b', 'a'].map((idempotencyKey) => ({ definition, idempotencyKey })) }),
  ['jobs[2].idempotency_key'],
);
// A refused request has created no queue either.
add(
  'B72',
  'a key twice, in a queue that is not there',
  submitJobs,
  ({ definition }) => ({
    jobs: ['a', 'a'].map((idempotencyKey) => ({ definition, idempotencyKey, queue: 'never-made' })),
  }),
  ['jobs[1].idempotency_key'],
);
add(
  'B72',
  'a definition that is not there, after a queue that is not',
  submitJobs,
  ({ definition }) => ({ jobs: [{ definition, queue: 'never-made' }, { definition: 'missing' }] }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  'B72',
  'jobs over 3 MiB',
  submitJobs,
  ({ definition }) => ({
    jobs: Array.from({ length: 7 }, () => ({ definition, input: { data: tooLarge.subarray(1) } })),
  }),
  ['jobs'],
);
add('B72', 'no report', reportAttempts, ({ sessionId }) => ({ sessionId }), ['reports']);
add(
  'B72',
  '1,001 reports',
  reportAttempts,
  ({ sessionId }) => ({
    sessionId,
    reports: Array.from({ length: 1_001 }, () => ({ jobId: UUID, outcome: { case: 'aborted', value: {} } as const })),
  }),
  ['reports'],
);
beat(
  'B72',
  '10,001 held attempts',
  { heldAttempts: Array.from({ length: 10_001 }, () => ({ jobId: UUID })) },
  'held_attempts',
);
beat('B72', '1,001 updates', { progress: Array.from({ length: 1_001 }, () => ({ jobId: UUID })) }, 'progress');
beat('B72', '101 credits', { credits: Array.from({ length: 101 }, () => ({ creditId: 1n })) }, 'credits');
open('B72', 'no handler', { handlers: [] }, 'handlers');
open(
  'B72',
  '17 resources',
  { resources: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`r${i}`, 1])) },
  'resources',
);
