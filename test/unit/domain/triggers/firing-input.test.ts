/** The input of a trigger's job. */
import { describe, expect, it } from 'vitest';
import type { HeldCause } from '../../../../server/domain/triggers/advance.ts';
import { causeValue, jsonText, withPayload } from '../../../../server/domain/triggers/cause-value.ts';
import { type CauseContent, inputOfFiring, payloadsLeftOut } from '../../../../server/domain/triggers/firing-input.ts';

const held = (rowId: number, bytes: number): HeldCause => ({
  rowId,
  number: rowId,
  timeUs: 0,
  bytes,
  key: 'k',
  count: 2,
});
const signal = { source: 'SIGNAL', name: 'paid' } as const;
const job = { source: 'JOB', name: 'pick' } as const;

function inputOf(causes: readonly HeldCause[], contents: readonly CauseContent[], maxBytes = 100_000): unknown {
  const firing = { key: 'k', timeUs: 0, causes };
  const bytes = inputOfFiring('ship', firing, ({ rowId }) => contents[rowId] as CauseContent, maxBytes);
  expect(bytes.length).toBeLessThanOrEqual(maxBytes);
  return new TextDecoder().decode(bytes);
}

describe('the input of a trigger’s job', () => {
  it('has each cause with its number, its count and its payload exactly as it came', () => {
    const value = causeValue(signal, { timeUs: 1_764_547_200_000_000, signalKey: 's' });
    const payload = '{"n": 9007199254740993}';
    expect(inputOf([held(0, 23)], [{ value, payload }])).toBe(
      '{"trigger":"ship","key":"k","causes":[{"condition":0,"count":2,"kind":"signal","name":"paid",' +
        '"time":"2025-12-01T00:00:00.000Z","key":"s","payload":{"n": 9007199254740993}}]}',
    );
  });

  it('leaves out the largest payloads where it would be too large', () => {
    const value = causeValue(signal, { timeUs: 0 });
    const contents = [10, 60_000, 50_000].map((size) => ({ value, payload: JSON.stringify('x'.repeat(size - 2)) }));
    const causes = [held(0, 10), held(1, 60_000), held(2, 50_000)];
    expect([...payloadsLeftOut({ causes }, 100_000)]).toEqual([1]);
    const { causes: shown } = JSON.parse(String(inputOf(causes, contents)));
    expect(shown[1]).toMatchObject({ payload: null, payload_omitted: true });
    expect(shown.map((one: object) => 'payload_omitted' in one)).toEqual([false, true, false]);
    expect(shown[2].payload).toHaveLength(49_998);
  });

  it('leaves out the labels of jobs where it would still be too large', () => {
    const labels = { note: 'y'.repeat(3_000) };
    const value = causeValue(job, { timeUs: 0, jobId: 'j', state: 'SUCCEEDED', labels });
    const causes = [held(0, 0), held(1, 0)];
    const contents = [
      { value, payload: undefined },
      { value, payload: undefined },
    ];
    const whole = JSON.parse(String(inputOf(causes, contents)));
    expect(whole.causes[0]).toEqual({ condition: 0, count: 2, ...value });
    const small = JSON.parse(String(inputOf(causes, contents, 4_000)));
    expect(small.causes[1]).toMatchObject({ kind: 'job', state: 'SUCCEEDED', labels_omitted: true });
    expect(small.causes[1]).not.toHaveProperty('labels');
  });
});

describe('a cause', () => {
  it('has what its source has', () => {
    expect(causeValue({ source: 'ASSET', name: 'orders' }, { timeUs: 0, jobId: 'j', version: 3 })).toEqual({
      kind: 'asset',
      name: 'orders',
      time: '1970-01-01T00:00:00.000Z',
      job_id: 'j',
      version: 3,
    });
    const nominal = { timeUs: 1, nominalUs: 60_000_000 };
    expect(causeValue({ source: 'SCHEDULE', name: 'nightly' }, nominal)).toMatchObject({
      kind: 'schedule',
      nominal_time: '1970-01-01T00:01:00.000Z',
    });
  });

  it.each([
    ['text of JSON', '{"a":1}', '', '{"a":1}'],
    ['JSON by its media type', '[1]', 'application/json', '[1]'],
    ['text that is no JSON', 'hello', '', undefined],
    ['another media type', '{"a":1}', 'text/plain', undefined],
    ['nothing', '', '', undefined],
  ])('has a payload of %s as %s', (_what, text, type, expected) => {
    expect(jsonText(new TextEncoder().encode(text), type)).toBe(expected);
  });

  it('has no payload that is no UTF-8', () => {
    expect(jsonText(new Uint8Array([0x22, 0xff, 0x22]), '')).toBeUndefined();
  });

  it('parses its payload once, when it is read', () => {
    const value = withPayload({ kind: 'signal' }, '{"a":{"b":1}}');
    expect(value.payload).toEqual({ a: { b: 1 } });
    expect(value.payload).toBe(value.payload);
    expect(withPayload({}, undefined).payload).toBeNull();
  });
});
