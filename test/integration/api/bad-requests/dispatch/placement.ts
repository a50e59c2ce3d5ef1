/** Demands that no worker can meet, invalid expressions, and sticky jobs without a known worker. */

import { StickyMode } from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, define, job, submitJob } from '../base/builder.ts';

const field = (name: string) => `job.demands.${name}`;

for (const amount of [0, -1, 1e13, 0.0005, 1.00001, Number.NaN, Number.POSITIVE_INFINITY])
  job('B19', `a demand of ${amount}`, { demands: { resources: { gpu: amount } } }, field('resources["gpu"]'));
define('B19', 'a demand of -1', { demands: { resources: { gpu: -1 } } }, 'definition.demands.resources["gpu"]');
job('B28', 'a resource with a name that is none', { demands: { resources: { 'a b': 1 } } }, field('resources'));
job(
  'B72',
  'demands of 17 resources',
  { demands: { resources: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`r${i}`, 1])) } },
  field('resources'),
);

const expressions: readonly (readonly [string, string])[] = [
  ['a syntax error', 'labels.'],
  ['a macro over a list', '["a"].exists(x, x == labels.zone)'],
  ['an unknown name', 'input.zone == labels.zone'],
  ['nothing of labels', 'true'],
  ['parentheses in parentheses', `${'('.repeat(500)}labels.a${')'.repeat(500)}`],
  ['2,000 characters', `labels.zone == "${'a'.repeat(2_000)}"`],
];
for (const [what, text] of expressions) {
  job('B50', `a required expression: ${what}`, { demands: { required: text } }, field('required'));
  job('B50', `a preferred expression: ${what}`, { demands: { preferred: text } }, field('preferred'));
  define('B50', `a required expression: ${what}`, { demands: { required: text } }, 'definition.demands.required');
}

const growing = (change: object) => ({
  demands: { resources: { memory: 100 }, memoryGrowth: { factor: 2, max: 200, ...change } },
});
for (const factor of [1, 0, -2, 11, Number.NaN])
  job('B19', `memory that grows by ${factor}`, growing({ factor }), field('memory_growth.factor'));
for (const max of [99, 2e12, 150.0004, Number.NaN])
  job('B19', `memory that grows to ${max}`, growing({ max }), field('memory_growth.max'));
job(
  '',
  'memory that grows from nothing',
  { demands: { memoryGrowth: { factor: 2, max: 200 } } },
  field('memory_growth'),
);

job('B37', 'sticky to what is no UUID', { sticky: { jobId: 'x' } }, 'job.sticky.job_id');
job(
  'B12',
  'an unknown sticky mode',
  { sticky: { jobId: crypto.randomUUID(), mode: 99 as StickyMode } },
  'job.sticky.mode',
);
add(
  'B65',
  'sticky to an unknown job',
  submitJob,
  ({ definition }) => ({ job: { definition, sticky: { jobId: '0198c0de-0000-7000-8000-000000000001' } } }),
  [],
  [Code.NOT_FOUND, 'JOB_NOT_FOUND'],
);
add(
  '',
  'sticky to a job that no worker was given',
  submitJob,
  ({ definition, jobId }) => ({ job: { definition, sticky: { jobId, mode: StickyMode.HARD } } }),
  [],
  [Code.FAILED_PRECONDITION, 'JOB_NOT_ASSIGNED'],
);
