/** UUIDs: bytes and text are the same thing, and job ids sort by when they were made. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uuidFrom } from '../../server/api/convert-session.ts';
import { Violations } from '../../server/api/violations.ts';
import { isUuid, uuid7, uuid7Ms, uuidFromBytes, uuidToBytes } from '../../server/domain/uuid.ts';

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const counter = fc.integer({ min: 0, max: 4_095 });

describe('uuidFromBytes', () => {
  it('goes there and back', () => {
    fc.assert(
      fc.property(bytes16, (bytes) => {
        const text = uuidFromBytes(bytes);
        expect(isUuid(text)).toBe(true);
        expect(new Uint8Array(uuidToBytes(text))).toEqual(bytes);
        expect(uuidFrom(bytes, 'id', new Violations())).toBe(text);
      }),
    );
  });

  it('reads the canonical form in either case and no other', () => {
    fc.assert(
      fc.property(bytes16, fc.constantFrom('{', '}', ' ', '-', 'g', '0', '\n'), (bytes, extra) => {
        const text = uuidFromBytes(bytes);
        expect(isUuid(text.toUpperCase())).toBe(true);
        for (const bad of [text + extra, extra + text, text.replaceAll('-', ''), text.slice(1)])
          expect(isUuid(bad)).toBe(false);
      }),
    );
  });
});

describe('uuid7', () => {
  it('carries its time, version and variant, and leaves its randomness alone', () => {
    fc.assert(
      fc.property(ms, counter, bytes16, (time, count, random) => {
        const before = random.slice();
        const text = uuid7(time, count, random);
        expect(uuid7Ms(text)).toBe(time);
        expect(text[14]).toBe('7');
        expect('89ab').toContain(text[19]);
        expect(Number.parseInt(text.slice(15, 18), 16)).toBe(count);
        expect(random).toEqual(before);
      }),
    );
  });

  it('sorts by time, then by counter, as text and as bytes', () => {
    fc.assert(
      fc.property(ms, counter, bytes16, ms, counter, bytes16, (ms1, count1, random1, ms2, count2, random2) => {
        fc.pre(ms1 !== ms2 || count1 !== count2);
        const [one, other] = [uuid7(ms1, count1, random1), uuid7(ms2, count2, random2)];
        const earlier = ms1 < ms2 || (ms1 === ms2 && count1 < count2);
        expect(one < other).toBe(earlier);
        expect(Buffer.compare(uuidToBytes(one), uuidToBytes(other)) < 0).toBe(earlier);
      }),
    );
  });

  it('keeps 62 random bits', () => {
    fc.assert(
      fc.property(bytes16, bytes16, (one, other) => {
        const same =
          one.slice(9).every((byte, i) => byte === other[9 + i]) && ((one[8] ?? 0) & 63) === ((other[8] ?? 0) & 63);
        expect(uuid7(1, 1, one) === uuid7(1, 1, other)).toBe(same);
      }),
    );
  });
});
