/** User data and times, encoded and decoded. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationFromMs, durationToMs } from '../../../sdk/typescript/src/duration.ts';
import { decodePayload, encodePayload, payload } from '../../../sdk/typescript/src/payload.ts';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('payloads', () => {
  test('of any JSON value decode to the value that JSON gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const encoded = encodePayload(value);
        expect(encoded?.contentType).toBe('application/json');
        expect(decodePayload(encoded)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('of bytes decode to bytes', () => {
    const encoded = encodePayload(new Uint8Array([0, 255]));
    expect(encoded).toMatchObject({ contentType: 'application/octet-stream', metadata: {} });
    expect(decodePayload(encoded)).toEqual(new Uint8Array([0, 255]));
  });

  test('do not exist for undefined', () => {
    expect(encodePayload(undefined)).toBeUndefined();
    expect(decodePayload(undefined)).toBeUndefined();
    expect(decodePayload(payload(new Uint8Array(), ''))).toBeUndefined();
  });

  test('are passed through when given as payloads', () => {
    const own = payload(bytes('<a/>'), 'application/xml', { schema: 'a' });
    expect(encodePayload(own)).toBe(own);
    expect(decodePayload(own)).toEqual(bytes('<a/>'));
  });

  test.each(['application/json; charset=utf-8', 'application/problem+json', 'Application/JSON'])(
    'with type %s are JSON too',
    (contentType) => {
      expect(decodePayload(payload(bytes('[1]'), contentType))).toEqual([1]);
    },
  );

  test.each([() => 1, Symbol('x'), 10n])('are refused for a value that JSON can not write: %s', (value) => {
    expect(() => encodePayload(value)).toThrow(TypeError);
  });

  test.each(['', '{', 'undefined'])('with malformed JSON are refused: %j', (text) => {
    expect(() => decodePayload(payload(bytes(text), 'application/json'))).toThrow(SyntaxError);
  });

  test('with bytes that are not UTF-8 are refused as JSON', () => {
    expect(() => decodePayload(payload(new Uint8Array([34, 0xff, 34]), 'application/json'))).toThrow(TypeError);
  });
});

describe('durations', () => {
  test('decode to the same milliseconds', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(durationToMs(durationFromMs(ms), -1)).toBe(ms);
      }),
    );
    expect(durationFromMs(1_500.25)).toMatchObject({ seconds: 1n, nanos: 500_250_000 });
    expect(durationToMs(undefined, 7)).toBe(7);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuse %s', (ms) => {
    expect(() => durationFromMs(ms)).toThrow(RangeError);
  });
});

test('a UUID is written in the usual notation', () => {
  const id = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
  expect(uuidText(id)).toBe('00112233-4455-6677-8899-aabbccddeeff');
});
