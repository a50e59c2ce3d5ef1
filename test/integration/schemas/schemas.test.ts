/** The thread that checks payloads: its findings, and that nothing delays the next check for long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PayloadSchema } from '../../../server/domain/definitions/definition.ts';
import { ThreadSchemas } from '../../../server/schemas/thread-schemas.ts';
import { shopSchema } from './descriptor-sets.ts';

const warnings: string[] = [];
const log = { info: () => {}, warn: (_: object, message: string) => void warnings.push(message), error: () => {} };
const bytes = (text: string) => new TextEncoder().encode(text);
const json = (schema: unknown): PayloadSchema => ({ kind: 'json', text: JSON.stringify(schema) });
const payload = (value: unknown, contentType = 'application/json') => ({
  data: bytes(typeof value === 'string' ? value : JSON.stringify(value)),
  contentType,
});

function protobuf(...of: Parameters<typeof shopSchema>): PayloadSchema {
  const { fileDescriptorSet, messageType } = shopSchema(...of);
  return { kind: 'protobuf', fileDescriptorSet: Buffer.from(fileDescriptorSet).toString('base64'), messageType };
}

/** A regular expression that backtracks exponentially on 40 letters. */
const slow = json({ type: 'string', pattern: '^(a+)+$' });
const slowText = payload(`"${'a'.repeat(40)}!"`);

let schemas: ThreadSchemas;

beforeAll(() => {
  schemas = new ThreadSchemas(log);
});

afterAll(() => schemas.stop());

async function faultOf(schema: PayloadSchema, of: ReturnType<typeof payload>): Promise<string | undefined> {
  return (await schemas.validate([{ schema, payload: of }]))[0];
}

describe('JSON Schema', () => {
  const order = {
    type: 'object',
    properties: { amount: { type: 'number' }, items: { type: 'array', items: { $ref: '#/$defs/item' } } },
    required: ['amount'],
    additionalProperties: false,
    $defs: { item: { type: 'string', minLength: 1 } },
  };

  it.each<[string, unknown, ReturnType<typeof payload>, string | undefined]>([
    ['a value that fits', order, payload({ amount: 1, items: ['a'] }), undefined],
    ['without a content type', order, payload({ amount: 1 }, ''), undefined],
    [
      'with parameters of the content type',
      order,
      payload({ amount: 1 }, 'Application/JSON; charset=utf-8'),
      undefined,
    ],
    ['a wrong type', order, payload({ amount: 'x' }), '/amount must be number'],
    ['deep inside', order, payload({ amount: 1, items: ['a', ''] }), '/items/1 must NOT have fewer than 1 characters'],
    ['something missing', order, payload({}), "it must have required property 'amount'"],
    ['one too many', order, payload({ amount: 1, x: 2 }), 'it must NOT have additional properties: "x"'],
    ['nothing at all', order, payload(''), 'is empty, and the schema wants JSON'],
    ['no JSON', order, payload('{'), expect.stringMatching(/^is no JSON: /)],
    [
      'no UTF-8',
      order,
      { data: Uint8Array.of(0x22, 0xff, 0x22), contentType: '' },
      expect.stringMatching(/^is no JSON/),
    ],
    ['another content type', order, payload('x', 'text/plain'), expect.stringContaining('text/plain')],
    ['a name of a prototype', { required: ['constructor'] }, payload({}), expect.stringContaining('constructor')],
    ['a format, which is a note', { format: 'email' }, payload('"x"'), undefined],
    [
      'of draft 2020-12',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ const: 1 }] },
      payload([2]),
      '/0 must be equal to constant',
    ],
    [
      'of draft 07',
      { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ const: 1 }] },
      payload([2]),
      '/0 must be equal to constant',
    ],
    ['a reference to the whole', { type: 'array', items: { $ref: '#' } }, payload([[[], 1]]), '/0/1 must be array'],
    [
      'a reference by $id',
      { $id: 'https://example.com/a', items: { $ref: '/b' }, $defs: { b: { $id: '/b', type: 'string' } } },
      payload([1]),
      '/0 must be string',
    ],
    ['true', true, payload(1), undefined],
    ['false', false, payload(1), expect.stringContaining('false')],
  ])('gives the right answer: %s', async (_what, schema, of, expected) => {
    expect(await schemas.compile(json(schema))).toBeUndefined();
    expect(await faultOf(json(schema), of)).toEqual(expected);
  });

  it('accepts the same $id in several schemas', async () => {
    for (const type of ['string', 'number', 'string', 'boolean']) {
      expect(await schemas.compile(json({ $id: 'https://example.com/same', type }))).toBeUndefined();
    }
    expect(await faultOf(json({ $id: 'https://example.com/same', type: 'number' }), payload(1))).toBeUndefined();
  });

  const nested = (depth: number) => `${'{"not":'.repeat(depth)}{}${'}'.repeat(depth)}`;
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /^is no JSON/],
    ['no schema', '[]', /neither an object/],
    ['null', 'null', /neither an object/],
    [
      'a wrong keyword',
      '{"properties":{"a":{"type":"strin"}}}',
      /^is no JSON Schema of draft 2020-12: \/properties\/a\/type /,
    ],
    ['another draft', '{"$schema":"http://json-schema.org/draft-04/schema#"}', /draft-04/],
    ['an invalid draft', '{"$schema":5}', /draft/],
    ['a remote reference', '{"$ref":"https://example.com/x"}', /can't resolve reference https:\/\/example.com\/x/],
    ['a reference to nothing', '{"$ref":"#/$defs/x"}', /can't resolve reference/],
    ['an invalid pattern', '{"pattern":"("}', /regular expression/i],
    ['an asynchronous one', '{"$async":true}', /\$async/],
    ['6,000 levels', nested(6_000), /nested too deeply/],
  ])('refuses %s', async (_what, text, expected) => {
    expect((await schemas.compile({ kind: 'json', text }))?.message).toMatch(expected);
    expect(await faultOf({ kind: 'json', text }, payload(1))).toMatch(expected);
  });

  it('refuses a value that is nested too deeply', async () => {
    const deep = payload('['.repeat(200_000) + ']'.repeat(200_000));
    expect(await faultOf(json({ items: { $ref: '#' } }), deep)).toMatch(/nested too deeply|took longer/);
  });
});

describe('protobuf', () => {
  const order = protobuf();
  const binary = (hex: string, contentType = 'application/x-protobuf') => ({
    data: new Uint8Array(Buffer.from(hex, 'hex')),
    contentType,
  });

  it.each<[string, ReturnType<typeof payload>, string | undefined]>([
    ['binary', binary('0a01781005'), undefined],
    ['binary without a content type', binary('0a01781005', ''), undefined],
    ['nothing, which is an empty message', binary(''), undefined],
    ['JSON', payload({ id: 'x', total: { units: '5' } }), undefined],
    ['binary that is cut', binary('0a0578'), expect.stringMatching(/^is no shop.v1.Order: /)],
    ['text that is no UTF-8', binary('0a01ff'), expect.stringMatching(/^is no shop.v1.Order: /)],
    ['JSON of a wrong type', payload({ count: 'many' }), expect.stringContaining('count')],
    ['JSON with an unknown field', payload({ nope: 1 }), expect.stringContaining('nope')],
    ['no JSON', payload('{'), expect.stringMatching(/^is no JSON/)],
    ['another content type', payload('x', 'text/plain'), expect.stringContaining('text/plain')],
    ['a group without end', binary('ff'.repeat(1_000)), expect.stringMatching(/^is no shop.v1.Order: /)],
  ])('gives the right answer: %s', async (_what, of, expected) => {
    expect(await faultOf(order, of)).toEqual(expected);
  });

  it.each<[string, PayloadSchema, string, RegExp]>([
    [
      'garbage',
      { kind: 'protobuf', fileDescriptorSet: '//8=', messageType: 'A' },
      'file_descriptor_set',
      /^is no google/,
    ],
    [
      'a set without an import',
      protobuf('shop.v1.Order', { name: 'a.proto', dependency: ['b.proto'] }),
      'file_descriptor_set',
      /without its import b.proto/,
    ],
    ['an unknown type', protobuf('shop.v1.Nothing'), 'message_type', /shop.v1.Nothing is no message/],
    [
      'a field of an unknown type',
      protobuf('a.A', {
        name: 'a.proto',
        package: 'a',
        syntax: 'proto3',
        messageType: [{ name: 'A', field: [{ name: 'x', number: 1, label: 1, type: 11, typeName: '.a.B' }] }],
      }),
      'file_descriptor_set',
      /^can't be used/,
    ],
  ])('refuses %s', async (_what, schema, part, expected) => {
    expect(await schemas.compile(schema)).toEqual({ part, message: expect.stringMatching(expected) });
  });
});

describe('the schema thread', () => {
  it('stops a check that takes too long, answers the others of its call, and continues', async () => {
    const before = warnings.length;
    const number = json({ type: 'number' });
    const checks = [
      { schema: number, payload: payload(1) },
      { schema: slow, payload: slowText },
      { schema: number, payload: payload('"x"') },
      { schema: slow, payload: payload('"aaa"') },
      { schema: slow, payload: slowText },
    ];
    const late = expect.stringMatching(/took longer than 50 ms/);
    expect(await schemas.validate(checks)).toEqual([undefined, late, 'it must be number', undefined, late]);
    expect(warnings.slice(before).length).toBeGreaterThanOrEqual(4);
    expect(await faultOf(number, payload(1))).toBeUndefined();
  });

  it('interleaves calls: a long one does not delay a short one', async () => {
    const number = json({ type: 'number' });
    const order: string[] = [];
    const many = Array.from({ length: 10_000 }, () => ({ schema: number, payload: payload(1) }));
    const long = schemas.validate(many).then(() => order.push('long'));
    const short = schemas.validate(many.slice(0, 1)).then(() => order.push('short'));
    await Promise.all([long, short]);
    expect(order).toEqual(['short', 'long']);
  });

  it('refuses calls beyond its bound, and accepts them after the others are done', async () => {
    const number = json({ type: 'number' });
    const many = Array.from({ length: 15_000 }, () => ({ schema: number, payload: payload(1) }));
    const first = schemas.validate(many);
    await expect(schemas.validate(many)).rejects.toMatchObject({ reason: 'OVERLOADED', facts: { retryAfterMs: 250 } });
    await first;
    expect(await schemas.validate(many)).toHaveLength(15_000);
  });

  it('refuses a call that would take more than 5 s', async () => {
    const many = Array.from({ length: 100 }, () => ({ schema: slow, payload: slowText }));
    await expect(schemas.validate(many)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    expect(await faultOf(json({ type: 'number' }), payload(1))).toBeUndefined();
  });

  it('caches a bounded number of schemas, and compiles others again', async () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 300; i += 50) {
        const checks = Array.from({ length: 50 }, (_, j) => ({
          schema: json({ const: i + j }),
          payload: payload(i + j),
        }));
        expect(await schemas.validate(checks)).toEqual(checks.map(() => undefined));
      }
    }
  });

  it('answers an empty call, and refuses all others after it is stopped', async () => {
    const other = new ThreadSchemas(log);
    expect(await other.validate([])).toEqual([]);
    const waiting = other.validate([{ schema: json(true), payload: payload(1) }]);
    const stopped = other.stop();
    await expect(waiting).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
    await stopped;
    await expect(other.compile(json(true))).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });
});
