/** Definitions with impossible limits and keys, and jobs for which the key expression has no value. */

import { LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, define, submitJob } from '../base/builder.ts';

const keyLimit = (row: string, what: string, change: object, field = '') =>
  define(row, `a key limit: ${what}`, { keyLimit: { maxConcurrency: 1, ...change } }, `definition.key_limit${field}`);

define('B21', 'a negative concurrency', { maxConcurrency: -1 }, 'definition.max_concurrency');
define('B21', 'a concurrency above 100,000', { maxConcurrency: 100_001 }, 'definition.max_concurrency');
define('B21', 'a rate of no units', { rateLimit: {} }, 'definition.rate_limit.units');
define('B21', 'a rate of too many units', { rateLimit: { units: 1_000_001 } }, 'definition.rate_limit.units');
define(
  'B18',
  'a period above 30 days',
  { rateLimit: { units: 1, period: { seconds: 2_592_001n } } },
  'definition.rate_limit.period',
);
define('B21', 'a cost of -1', { rateCost: -1 }, 'definition.rate_cost');
define('B21', 'a cost above 1,000', { rateCost: 1_001 }, 'definition.rate_cost');
keyLimit('', 'of nothing', { maxConcurrency: 0 });
keyLimit('B21', 'a negative concurrency', { maxConcurrency: -1 }, '.max_concurrency');
keyLimit('B12', 'an unknown policy', { policy: 99 }, '.policy');
keyLimit(
  '',
  'a policy without a concurrency',
  { maxConcurrency: 0, rateLimit: { units: 1 }, policy: LimitPolicy.REJECT_NEW },
  '.policy',
);

const expressions: readonly (readonly [string, string])[] = [
  ['a syntax error', 'input.'],
  ['a macro over a list', '[1, 2, 3].all(x, x > 0)'],
  ['macros in each other', '[1].map(a, [1].map(b, [1].map(c, c)))'],
  ['an unknown name', 'process.env.HOME'],
  ['parentheses in parentheses', `${'('.repeat(500)}1${')'.repeat(500)}`],
  ['5,000 characters', `"${'a'.repeat(5_000)}"`],
];
for (const [what, text] of expressions) {
  keyLimit('B50', what, { key: text }, '.key');
  define('B50', `a fairness key: ${what}`, { fairnessKey: text }, 'definition.fairness_key');
}

const inputs: Record<string, unknown> = {
  'without the field': {},
  'with a list for a key': { tenant: [1] },
  'that is no object': 7,
  'with a key of 257 characters': { tenant: 'x'.repeat(257) },
  'with a NUL in the key': { tenant: 'a\0b' },
  'with a lone surrogate in the key': { tenant: '\ud800' },
  'that asks for a prototype': { __proto__: 'x' },
};
for (const [what, input] of Object.entries(inputs)) {
  const data = new TextEncoder().encode(JSON.stringify(input));
  add(
    'B50',
    `an input ${what}`,
    submitJob,
    ({ limited }) => ({ job: { definition: limited, input: { data, contentType: 'application/json' } } }),
    ['job.input'],
  );
}
add(
  'B50',
  'an input that is no JSON',
  submitJob,
  ({ limited }) => ({
    job: { definition: limited, input: { data: new Uint8Array([255]), contentType: 'application/octet-stream' } },
  }),
  ['job.input'],
);
add(
  'B16',
  'a job too many of a key',
  submitJob,
  ({ full }) => ({ job: { definition: full } }),
  ['job'],
  [Code.RESOURCE_EXHAUSTED, 'LIMIT_REACHED'],
);
