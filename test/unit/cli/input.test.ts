/** Options accept the forms that people write. A refusal shows the right form. */
import { IdempotencyConflictPolicy, StickyMode } from '@muster-jobs/sdk/grpc';
import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { amount } from '../../../server/cli/input/amounts.ts';
import { definitionRef } from '../../../server/cli/input/definition-name.ts';
import { states } from '../../../server/cli/input/job-filter.ts';
import { label } from '../../../server/cli/input/labels.ts';
import { integer } from '../../../server/cli/input/numbers.ts';
import { payloadOf } from '../../../server/cli/input/payload-input.ts';
import { span, time, timeOrAge } from '../../../server/cli/input/spans.ts';
import { toSubmission } from '../../../server/cli/input/submission.ts';

describe('a span', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['1w', 604_800_000],
  ])('%s is %d ms', (text, ms) => expect(span(text)).toBe(ms));

  it.each(['', '5', 's', '-5s', '5 s', '5S', '1h-30m', '5y', '1e3s', 'constructor'])('refuses %j', (text) => {
    expect(() => span(text)).toThrow(InvalidArgumentError);
  });
});

describe('a time', () => {
  it.each([
    ['2026-05-04T09:30:00Z', '2026-05-04T09:30:00.000Z'],
    ['2026-05-04T09:30+02:00', '2026-05-04T07:30:00.000Z'],
    ['2026-05-04 09:30:00.25Z', '2026-05-04T09:30:00.250Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s is read as %s', (text, iso) => expect(time(text).toISOString()).toBe(iso));

  it.each([
    '',
    'now',
    'tomorrow',
    '2026-05-04',
    '2026-05-04T09:30:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00Z',
    '2026-05-00T00:00Z',
    '1',
  ])('can not be %j', (text) => expect(() => time(text)).toThrow(InvalidArgumentError));

  it('of a filter may be relative to now', () => {
    expect(Math.abs(timeOrAge('2h').getTime() - (Date.now() - 7_200_000))).toBeLessThan(60_000);
    expect(timeOrAge('2026-05-04T09:30:00Z').toISOString()).toBe('2026-05-04T09:30:00.000Z');
    expect(() => timeOrAge('yesterday')).toThrow(/2h or 7d/);
  });
});

describe('a demand of a job', () => {
  it.each([
    ['gpu=1', { gpu: 1 }],
    ['cpu=0.5', { cpu: 0.5 }],
    ['memory=4Gi', { memory: 4 * 2 ** 30 }],
    ['disk=1.5Ti', { disk: 1.5 * 2 ** 40 }],
  ])('may be %s', (text, amounts) => expect(amount(text)).toEqual(amounts));

  it.each(['can not be %j', 'gpu=', '=1', 'gpu=-1', 'gpu=1e3', 'gpu=1 ', 'memory=4GB', 'memory=4gi', 'gpu=NaN'])(
    'is not %j',
    (text) => expect(() => amount(text)).toThrow(InvalidArgumentError),
  );

  it('may be given only once, and may have any name', () => {
    expect(() => amount('gpu=1', { gpu: 2 })).toThrow(/twice/);
    expect(Object.entries(amount('__proto__=1', { gpu: 2 }))).toEqual([
      ['gpu', 2],
      ['__proto__', 1],
    ]);
  });

  it('becomes part of the submission', () => {
    const options = {
      require: { zone: 'a' },
      requireThat: 'has(labels.ssd)',
      prefer: 'labels.zone == "a"',
      demand: { gpu: 1 },
    };
    expect(toSubmission({ name: 'x', version: 0 }, { ...options, stickyHard: 'id' })).toMatchObject({
      demands: {
        labels: { zone: 'a' },
        resources: { gpu: 1 },
        required: 'has(labels.ssd)',
        preferred: 'labels.zone == "a"',
      },
      sticky: { jobId: 'id', mode: StickyMode.HARD },
    });
    const softly = toSubmission({ name: 'x', version: 0 }, { sticky: 'id' });
    expect(softly.sticky).toMatchObject({ jobId: 'id', mode: StickyMode.SOFT });
    expect(softly.demands).toBeUndefined();
    expect(() => toSubmission({ name: 'x', version: 0 }, { sticky: 'id', stickyHard: 'id' })).toThrow(
      'give either --sticky or --sticky-hard',
    );
  });
});

describe('the parser of labels, states, numbers and names', () => {
  it('reads valid input', () => {
    expect(label('a=b=c', { x: 'y' })).toEqual({ x: 'y', a: 'b=c' });
    expect(label('a=')).toEqual({ a: '' });
    expect(Object.entries(label('__proto__=x'))).toEqual([['__proto__', 'x']]);
    expect(states('ready,RUNNING', states('FAILED'))).toEqual([10, 3, 6]);
    expect(integer(-100, 100)('-7')).toBe(-7);
    expect(definitionRef('add')).toEqual({ name: 'add', version: 0 });
    expect(definitionRef('add@12')).toEqual({ name: 'add', version: 12 });
  });

  it.each([
    ['a label without =', () => label('a'), /KEY=VALUE/],
    ['a label without a key', () => label('=a'), /KEY=VALUE/],
    ['a repeated key', () => label('a=1', { a: '2' }), /"a" is given twice/],
    ['an unknown state', () => states('DONE'), /no state "DONE".*SUCCEEDED/],
    ['an unset state', () => states('UNSPECIFIED'), /no state/],
    ['a fraction', () => integer(0)('1.5'), /whole number/],
    ['a hexadecimal number', () => integer(0)('0x10'), /whole number/],
    ['a number out of bounds', () => integer(-100, 100)('101'), /from -100 to 100/],
    ['a number that is not exact', () => integer(0)('99999999999999999999'), /whole number/],
    ['version 0', () => definitionRef('add@0'), /NAME@VERSION/],
    ['a reference without a version', () => definitionRef('add@'), /NAME@VERSION/],
    ['a version beyond int32', () => definitionRef('add@2147483648'), /NAME@VERSION/],
  ])('refuses %s', (_what, read, message) => expect(read).toThrow(message));
});

describe('an input', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('is kept byte for byte', () => {
    expect(payloadOf(bytes('{"a": 1 }'), 'application/json', '--input').data).toEqual(bytes('{"a": 1 }'));
    expect(payloadOf(bytes('{'), 'text/plain', '--input')).toMatchObject({ contentType: 'text/plain' });
  });

  it.each(['application/json', 'application/vnd.order+json', 'Application/JSON; charset=utf-8'])(
    'must be JSON when its type is %s',
    (type) => expect(() => payloadOf(bytes('{'), type, 'orders.json')).toThrow(/^orders\.json is not JSON: /),
  );

  it('must be UTF-8 when it is JSON, and not too long', () => {
    expect(() => payloadOf(new Uint8Array([0x22, 0xff, 0x22]), 'application/json', 'stdin')).toThrow(
      /stdin is not JSON/,
    );
    expect(() => payloadOf(new Uint8Array(512 * 1024 + 1), 'text/plain', 'stdin')).toThrow(/512 KiB/);
  });
});

describe('a submission', () => {
  const name = { name: 'add', version: 3 };

  it('contains only the given options', () => {
    const { definition, definitionVersion, priority, start, expireTime } = toSubmission(name, {});
    expect([definition, definitionVersion, priority, start.case, expireTime]).toEqual([
      'add',
      3,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('contains each given option', () => {
    const runAt = new Date('2026-05-04T09:30:00Z');
    const job = toSubmission(name, {
      runAt,
      priority: 0,
      expireIn: 1_000,
      require: { gpu: 'a100' },
      idempotencyKey: 'k',
      onConflict: IdempotencyConflictPolicy.REPLACE,
    });
    expect(job).toMatchObject({
      priority: 0,
      idempotencyKey: 'k',
      idempotencyConflictPolicy: 3,
      demands: { labels: { gpu: 'a100' } },
    });
    expect(job.start).toMatchObject({ case: 'runTime', value: { seconds: BigInt(runAt.getTime() / 1_000) } });
  });

  it.each([
    [{ delay: 1, runAt: new Date(0) }, 'give either --delay or --run-at'],
    [{ expireIn: 1, expireAt: new Date(0) }, 'give either --expire-in or --expire-at'],
    [{ onConflict: IdempotencyConflictPolicy.FAIL }, '--on-conflict needs --idempotency-key'],
  ])('refuses %j', (options, message) => expect(() => toSubmission(name, options)).toThrow(message));
});
