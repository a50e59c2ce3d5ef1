/** UUIDs: bytes and text are equivalent, and job ids sort by their creation time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUuid, uuid7, uuid7Ms, uuidFromBytes, uuidToBytes, writeUuid } from '../../../server/domain/base/uuid.ts';

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const counter = fc.integer({ min: 0, max: 4_095 });

describe('the bytes and the text of a UUID', () => {
  it('convert both ways, alone and inside other bytes', () => {
    fc.assert(
      fc.property(bytes16, fc.nat(40), (bytes, offset) => {
        const text = uuidFromBytes(bytes);
        expect(isUuid(text)).toBe(true);
        expect(uuidToBytes(text)).toEqual(bytes);
        expect(uuidToBytes(text.toUpperCase())).toEqual(bytes);
        const target = new Uint8Array(60).fill(7);
        writeUuid(text, target, offset);
        expect(uuidFromBytes(target, offset)).toBe(text);
        const others = [...target.subarray(0, offset), ...target.subarray(offset + 16)];
        expect(others.every((byte) => byte === 7)).toBe(true);
      }),
    );
  });

  it('accept the canonical text in either case and no other', () => {
    fc.assert(
      fc.property(bytes16, fc.constantFrom('{', '}', ' ', '-', 'g', '0', '\n'), (bytes, extra) => {
        const text = uuidFromBytes(bytes);
        expect(isUuid(text.toUpperCase())).toBe(true);
        const bad = [text + extra, extra + text, text.replaceAll('-', ''), text.slice(1)];
        expect(bad.filter(isUuid)).toEqual([]);
        for (const wrong of bad) expect(() => uuidToBytes(wrong)).toThrow(RangeError);
      }),
    );
  });

  it('refuse an invalid digit at any position', () => {
    const wrong = fc.constantFrom('g', 'x', '-', ' ', ':', '/', '@', '`', '\u0000', 'é', '\uff11');
    fc.assert(
      fc.property(bytes16, fc.nat(35), wrong, (bytes, at, digit) => {
        const text = uuidFromBytes(bytes);
        fc.pre(text[at] !== '-');
        const broken = text.slice(0, at) + digit + text.slice(at + 1);
        expect(isUuid(broken)).toBe(false);
        expect(() => uuidToBytes(broken)).toThrow(RangeError);
      }),
    );
  });
});

describe('uuid7', () => {
  it('contains its time, version and variant, and does not change its random bits', () => {
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
