/** Submission rules with wrong settings, or that contradict each other. */
import { define } from '../base/builder.ts';

const wait = { seconds: 1n, nanos: 0 };
const day = { seconds: 86_400n };

function unique(row: string, what: string, change: object, field: string): void {
  define(row, `uniqueness: ${what}`, { uniqueness: change }, `definition.uniqueness.${field}`);
}

function debounce(row: string, what: string, change: object, field: string): void {
  define(row, `debounce: ${what}`, { debounce: { wait, ...change } }, `definition.debounce.${field}`);
}

function throttle(row: string, what: string, change: object, field: string): void {
  define(row, `throttle: ${what}`, { throttle: { period: wait, ...change } }, `definition.throttle.${field}`);
}

const spans = (least: object, most: object) => ({
  'of 0 s': {},
  'that is too short': least,
  'that is too long': most,
  'that is negative': { seconds: -1n },
  'of mixed signs': { seconds: 5n, nanos: -1 },
});
for (const [what, period] of Object.entries(spans({ nanos: 999_000_000 }, { seconds: 315_576_001n })))
  unique('B18', `period ${what}`, { period }, 'period');
for (const [what, period] of Object.entries(
  spans({ nanos: 999_000_000 }, { seconds: 30n * 86_400n, nanos: 1_000_000 }),
))
  throttle('B18', `period ${what}`, { period }, 'period');
for (const [what, span] of Object.entries(spans({ nanos: 999_999 }, { ...day, nanos: 1_000_000 })))
  debounce('B18', `wait ${what}`, { wait: span }, 'wait');
for (const [what, maxWait] of Object.entries(spans({ nanos: 999_000_000 }, { seconds: 864_000n, nanos: 1_000_000 })))
  debounce('B18', `longest wait ${what}`, { maxWait }, 'max_wait');
define('', 'debounce: no wait', { debounce: {} }, 'definition.debounce.wait');
define('', 'throttle: no period', { throttle: {} }, 'definition.throttle.period');

const many = Array.from({ length: 17 }, (_, i) => `field-${i}`);
const paths: Record<string, readonly [fields: string[], field: string]> = {
  '17 fields': [many, 'fields'],
  'an empty field': [['a', ''], 'fields[1]'],
  'a field that begins with a dot': [['.a'], 'fields[0]'],
  'a field that ends with a dot': [['a.'], 'fields[0]'],
  'a field with two dots': [['a..b'], 'fields[0]'],
  'a field of 257 characters': [['x'.repeat(257)], 'fields[0]'],
  'a field twice': [['a', 'b', 'a'], 'fields[2]'],
};
for (const [what, [fields, field]] of Object.entries(paths))
  for (const rule of [unique, debounce, throttle]) rule('', what, { fields }, field);
for (const rule of [unique, debounce, throttle])
  rule('B11', 'a field with a control character', { fields: ['a\u0000'] }, 'fields[0]');
unique('', 'the whole input and fields of it', { byInput: true, fields: ['a'] }, 'fields');

for (const value of [99, -1])
  for (const rule of [unique, throttle])
    rule('B12', `policy ${value}`, { duplicatePolicy: value as never }, 'duplicate_policy');
for (const value of [0, 14, -1]) unique('B12', `state ${value}`, { states: [1, 2, 3, 5, 6, value as never] }, 'states');
for (const left of [1, 2, 3, 5, 6])
  unique(
    '',
    `without state ${left}`,
    { states: ([1, 2, 3, 5, 6] as const).filter((state) => state !== left) },
    'states',
  );

const rules = { uniqueness: {}, debounce: { wait }, throttle: { period: wait } };
const { uniqueness, debounce: debouncing, throttle: throttling } = rules;
define('', 'uniqueness beside debounce', { uniqueness, debounce: debouncing }, 'definition.debounce');
define('', 'uniqueness beside throttle', { uniqueness, throttle: throttling }, 'definition.throttle');
define('', 'debounce beside throttle', { debounce: debouncing, throttle: throttling }, 'definition.throttle');
define('', 'all three rules', rules, 'definition.debounce', 'definition.throttle');
