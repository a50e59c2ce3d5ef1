/** JSON compared by value: which inputs a submission rule treats as equal, and which not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../../server/domain/base/exact-json.ts';
import { keyOfFields, keyOfInput } from '../../../server/domain/jobs/input-key.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (json: string) => readJson(bytes(json))?.text;
const value = fc.jsonValue({ maxDepth: 4 });

/** The same value in another spelling: order of members, spaces, escapes. */
function respelled(json: unknown, turn: number): string {
  const pad = turn % 2 === 0 ? ' \n\t' : '';
  if (Array.isArray(json)) return `[${pad}${json.map((one) => respelled(one, turn + 1)).join(`${pad},`)}]`;
  if (json !== null && typeof json === 'object') {
    const members = Object.entries(json).map(([key, one]) => `${escaped(key)}${pad}:${respelled(one, turn + 1)}`);
    return `{${members.reverse().join(`,${pad}`)}${pad}}`;
  }
  return typeof json === 'string' ? escaped(json) : JSON.stringify(json);
}

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

/** Equality of JSON values: -0 equals 0, and the order of members does not count. */
const sameValue = (one: unknown, two: unknown) => sorted(one) === sorted(two);

function sorted(json: unknown): string {
  return JSON.stringify(json, (_, one) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

describe('canonical JSON', () => {
  it('is the same for equal values, however they are written', () => {
    fc.assert(
      fc.property(value, fc.nat(), (json, turn) => {
        expect(textOf(respelled(json, turn))).toBe(textOf(JSON.stringify(json)));
      }),
    );
  });

  it('differs for different values', () => {
    fc.assert(
      fc.property(value, value, (one, two) => {
        expect(textOf(JSON.stringify(one)) === textOf(JSON.stringify(two))).toBe(sameValue(one, two));
      }),
    );
  });

  it('keeps the value', () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(sameValue(JSON.parse(textOf(JSON.stringify(json)) ?? ''), json)).toBe(true);
      }),
    );
  });

  it('is its own canonical form', () => {
    fc.assert(
      fc.property(value, (json) => {
        const text = textOf(JSON.stringify(json)) ?? '';
        expect(textOf(text)).toBe(text);
      }),
    );
  });

  it('accepts as JSON exactly what JavaScript accepts', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'[]{}:,"\\u0019.eE-+ntrf ') }));
    fc.assert(
      fc.property(text, (some) => {
        let isJson = true;
        try {
          JSON.parse(some);
        } catch {
          isJson = false;
        }
        expect(textOf(some) !== undefined).toBe(isJson);
      }),
    );
  });

  it('compares numbers as decimals, exactly', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,40}$/);
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 30 }), fc.boolean(), (whole, shift, isNegative) => {
        const sign = isNegative ? '-' : '';
        const same = [
          `${whole}.0`,
          `${whole}e0`,
          `${whole}${'0'.repeat(shift)}E-${shift}`,
          `${whole}.0${'0'.repeat(shift)}e+0`,
        ];
        for (const one of same) expect(textOf(sign + one)).toBe(textOf(sign + whole));
        const next = (BigInt(whole) + 1n).toString();
        expect(textOf(sign + next)).not.toBe(textOf(sign + whole));
        expect(textOf(`-${sign}${whole}`.replace('--', ''))).not.toBe(textOf(sign + whole));
      }),
    );
  });

  it.each([
    ['two ids that are equal as doubles', '9007199254740993', '9007199254740992', false],
    ['zero in all its forms', '-0.0e5', '0', true],
    ['a number and its text', '1', '"1"', false],
    ['null and a text', 'null', '"null"', false],
    ['null and no member', '{"a":null}', '{}', false],
    ['the last of two members of a name', '{"a":1,"a":2}', '{"a":2}', true],
    ['a list in another order', '[1,2]', '[2,1]', false],
    ['lists that are nested in another way', '[[1],2]', '[[1,2]]', false],
    ['a member named __proto__', '{"__proto__":1}', '{}', false],
    ['exponents beyond any double', '1e400000', '1e400001', false],
    ['exponents too large to compute', '1e99999999999999999999', '1e99999999999999999998', false],
  ])('compares %s', (_, one, two, isSame) => {
    expect(textOf(one)).toBeDefined();
    expect(textOf(one) === textOf(two)).toBe(isSame);
  });

  it('exists for an input with a hundred thousand levels', () => {
    const deep = (core: string) => '{"a":['.repeat(50_000) + core + ']}'.repeat(50_000);
    expect(textOf(deep(' 1.0 ')) === textOf(deep('1'))).toBe(true);
    expect(textOf(deep('1')) === textOf(deep('2'))).toBe(false);
  });
});

describe('the key of an input', () => {
  const input = (data: string, contentType: string) => ({ data: bytes(data), contentType });

  it.each([
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['', true],
    ['text/plain', false],
  ])('with content type "%s" compares JSON by value: %s', (contentType, byValue) => {
    const [one, two] = ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }'].map((text) => keyOfInput(input(text, contentType)));
    if (byValue) expect(one).toEqual(two);
    else expect(one).not.toEqual(two);
  });

  it('is the bytes when they are not JSON, and never equals the key of JSON', () => {
    const key = keyOfInput(input('no json', 'application/json'));
    expect(key).toEqual({ text: 'bytes', bytes: bytes('no json') });
    expect(keyOfInput(input('', ''))).toEqual({ text: 'bytes', bytes: new Uint8Array() });
    expect(keyOfInput({ data: Uint8Array.of(0x22, 0xff, 0x22), contentType: '' }).bytes).toBeDefined();
  });

  it('made of fields depends only on those fields, in any order of names', () => {
    const paths = ['a', 'b.c', 'b.d.e'];
    fc.assert(
      fc.property(
        fc.tuple(value, value, value),
        value,
        fc.shuffledSubarray(paths, { minLength: 1 }),
        (at, rest, some) => {
          const [a, c, e] = at;
          const bare = input(JSON.stringify({ a, b: { c, d: { e } } }), '');
          const noisy = input(JSON.stringify({ z: rest, b: { z: rest, d: { e, z: rest }, c }, a }), '');
          const key = keyOfFields(bare, some);
          expect(key).not.toHaveProperty('problem');
          expect(keyOfFields(noisy, [...some].reverse())).toEqual(key);
        },
      ),
    );
  });

  it('differs when a field or its name differs', () => {
    const of = (data: string, ...paths: string[]) => JSON.stringify(keyOfFields(input(data, ''), paths));
    expect(of('{"a":1,"b":2}', 'a', 'b')).not.toBe(of('{"a":2,"b":1}', 'a', 'b'));
    expect(of('{"a":1,"b":1}', 'a')).not.toBe(of('{"a":1,"b":1}', 'b'));
    expect(of('{"a":{"b":1}}', 'a.b')).not.toBe(of('{"a":{"b":"1"}}', 'a.b'));
  });

  it('can not be made when a field is missing or the input is not JSON', () => {
    const problem = (data: string, ...paths: string[]) => keyOfFields(input(data, ''), paths);
    expect(problem('{"a":{}}', 'a.b')).toEqual({ problem: 'has nothing at "a.b"' });
    expect(problem('{"a":[1]}', 'a.0')).toEqual({ problem: 'has nothing at "a.0"' });
    expect(problem('{"a":"b"}', 'a.length')).toEqual({ problem: 'has nothing at "a.length"' });
    expect(problem('{}', '__proto__')).toEqual({ problem: 'has nothing at "__proto__"' });
    expect(problem('', 'a')).toEqual({ problem: 'is not JSON, so "a" can\'t be read from it' });
    expect(problem('{"a":null}', 'a')).not.toHaveProperty('problem');
  });
});
