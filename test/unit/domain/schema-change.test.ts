/** Which schemas are proved to accept everything that another one accepts, and that no proof is wrong. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PayloadSchema } from '../../../server/domain/definitions/definition.ts';
import { covers } from '../../../server/domain/definitions/schema-change.ts';

const json = (value: unknown): PayloadSchema => ({ kind: 'json', text: JSON.stringify(value) });
const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest });
const text = { type: 'string' };
const closed = { additionalProperties: false };

describe('a schema is accepted as wider when it', () => {
  it.each<[string, unknown, unknown]>([
    ['allows anything', true, object({ a: text })],
    ['allows another type', { type: ['string', 'null'] }, text],
    ['allows numbers, not integers alone', { type: 'number' }, { type: 'integer' }],
    ['allows another value', { enum: ['a', 'b', 'c'] }, { enum: ['b', 'a'] }],
    ['allows what was the only value', { enum: [{ a: 1 }] }, { const: { a: 1 } }],
    ['asks for less', object({}, { required: ['a'] }), object({ b: text }, { required: ['a', 'b'] })],
    ['has lower and higher bounds', { minimum: 0, maxLength: 9 }, { minimum: 1, maxLength: 8 }],
    ['names a property that could not be there', object({ a: text, b: text }, closed), object({ a: text }, closed)],
    ['no longer refuses other properties', object({ a: text }), object({ a: text }, closed)],
    ['no longer names a property', object({}, { additionalProperties: text }), object({ a: text }, closed)],
    ['has wider items', { items: { type: ['string', 'number'] } }, { items: text }],
    ['says other things about itself', object({ a: { ...text, title: 'A', format: 'uri' } }), object({ a: text })],
    ['is written in another order', { type: 'object', required: ['a'] }, { required: ['a'], type: 'object' }],
    ['asks for the same pattern', { pattern: '^a' }, { pattern: '^a', minLength: 2 }],
    [
      'refers to the same',
      { $ref: '#/$defs/a', $defs: { a: text }, title: 'x' },
      { $ref: '#/$defs/a', $defs: { a: text } },
    ],
  ])('%s', (_what, wide, narrow) => {
    expect(covers(json(wide), json(narrow))).toBe(true);
  });
});

describe('the check does not accept as wider a schema', () => {
  it.each<[string, unknown, unknown]>([
    ['that takes nothing', false, text],
    ['of another type', { type: 'string' }, { type: 'number' }],
    ['of fewer types', { type: 'string' }, { type: ['string', 'number'] }],
    ['that asks for integers', { type: 'integer' }, { type: 'number' }],
    ['that asks for a type where none was asked for', text, {}],
    ['that asks for more properties', { required: ['a', 'b'] }, { required: ['a'] }],
    ['that says what an open object left open', object({ a: text, b: text }), object({ a: text })],
    ['that refuses other properties', object({ a: text }, closed), object({ a: text })],
    ['with tighter bounds', { maximum: 8 }, { maximum: 9 }],
    ['with another pattern', { pattern: '^a' }, { pattern: '^b' }],
    [
      'that refers to something else by the same name',
      { $ref: '#/$defs/a', $defs: { a: { type: 'number' } } },
      { $ref: '#/$defs/a', $defs: { a: text } },
    ],
    ['whose property is called like a note', object({ title: text }), object({ title: {} })],
    ['of another dialect', { $schema: 'http://json-schema.org/draft-07/schema#', minLength: 1 }, { minLength: 2 }],
  ])('%s', (_what, wide, narrow) => {
    expect(covers(json(wide), json(narrow))).toBe(false);
  });
});

it('protobuf schemas are compared for equality, and never with JSON', () => {
  const order: PayloadSchema = { kind: 'protobuf', fileDescriptorSet: 'AA==', messageType: 'shop.Order' };
  expect(covers(order, { ...order })).toBe(true);
  expect(covers(order, { ...order, messageType: 'shop.Cart' })).toBe(false);
  expect(covers(json({}), order)).toBe(false);
});

// Small alphabets, so that schemas and values often match.
const key = fc.constantFrom('a', 'b', 'title');
const number = fc.integer({ min: 0, max: 2 });
const types = ['string', 'number', 'integer', 'object', 'array', 'null', 'boolean'];
const scalar = fc.constantFrom<unknown>(null, true, -1, 0, 1, 1.5, 2, '', 'a', 'ab');
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(key, fc.oneof(scalar, fc.dictionary(key, scalar, { maxKeys: 2 })), { maxKeys: 3 }),
);

/** Schemas with at most four keywords, whose nested schemas come from `inner`. */
function schemas(inner: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  const keywords: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.oneof(
      fc.constantFrom(...types),
      fc.uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 3 }),
    ),
    enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }),
    const: scalar,
    required: fc.uniqueArray(key, { maxLength: 2 }),
    properties: fc.dictionary(key, inner, { maxKeys: 2 }),
    patternProperties: fc.record({ '^a': inner }),
    additionalProperties: inner,
    items: inner,
    minimum: number,
    exclusiveMaximum: number,
    minLength: number,
    maxItems: number,
    maxProperties: number,
    not: inner,
    title: fc.constant('t'),
  };
  return fc
    .subarray(Object.keys(keywords), { maxLength: 4 })
    .chain((names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, keywords[name] as fc.Arbitrary<unknown>]))),
    );
}

const leaf = fc.oneof(fc.boolean(), schemas(fc.boolean()));
const schema = schemas(leaf);
/** Two similar schemas, so that one often covers the other: the second lacks some keywords and changes others. */
const pair = fc.tuple(schema, schema, fc.nat({ max: 15 }), fc.boolean()).map(([narrow, other, kept, changed]) => {
  const shared = Object.entries(narrow).filter((_, i) => kept & (1 << i));
  const said = Object.entries(other).filter(([name]) => changed && Object.hasOwn(narrow, name));
  return [Object.fromEntries([...shared, ...said]), narrow];
});

it('the check proves nothing that a validator disproves', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, validateSchema: false });
  let shown = 0;
  const check = ([wide, narrow]: readonly object[], values: readonly unknown[]) => {
    if (!covers(json(wide), json(narrow))) return;
    shown++;
    const [takes, fits] = [ajv.compile(wide as object), ajv.compile(narrow as object)];
    for (const one of values) if (fits(one) && !takes(one)) throw new Error(JSON.stringify({ wide, narrow, one }));
  };
  const values = fc.array(value, { minLength: 10, maxLength: 20 });
  fc.assert(fc.property(pair, values, check), { numRuns: 2_000 });
  expect(shown).toBeGreaterThan(200);
});
