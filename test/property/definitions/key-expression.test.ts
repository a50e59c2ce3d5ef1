/** Key expressions: any text and any input lead to a key or to a refusal with a reason, and nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileKey, type KeyExpression } from '../../../server/domain/definitions/key-expression.ts';

const compiled = (text: string): KeyExpression => {
  const found = compileKey(text);
  if ('problem' in found) throw new Error(`${text} ${found.problem}`);
  return found;
};
const keyOf = (text: string, input: unknown, labels: Record<string, string> = {}) =>
  compiled(text).keyOf(input, labels);

it('a key expression gives the named key', () => {
  expect(keyOf('input.tenant', { tenant: 'a' })).toEqual({ key: 'a' });
  expect(keyOf('input.order.id', { order: { id: 7 } })).toEqual({ key: '7' });
  expect(keyOf('labels.region + "/" + input.tenant', { tenant: 'a' }, { region: 'eu' })).toEqual({ key: 'eu/a' });
  expect(keyOf('input.size > 10.0', { size: 11 })).toEqual({ key: 'true' });
  expect(keyOf('has(input.tenant) ? input.tenant : null', {})).toEqual({ key: undefined });
  expect(keyOf('input.name.matches("^a+$") ? "as" : "others"', { name: 'aaa' })).toEqual({ key: 'as' });
});

it('a key expression knows whether it needs the input', () => {
  expect(compiled('labels.tenant').usesInput).toBe(false);
  expect(compiled('labels.tenant + input.x').usesInput).toBe(true);
});

it('a key expression gives a reason when it has no key', () => {
  for (const [text, input] of [
    ['input.tenant', {}],
    ['input.tenant', null],
    ['input.tenant.x', { tenant: 'a' }],
    ['input', { a: 1 }],
    ['input.list', { list: [1] }],
    ['input.n + 1', { n: 'a' }],
    ['input.missing()', {}],
    ['1 / 0', {}],
  ] as const)
    expect(keyOf(text, input)).toEqual({ problem: expect.stringMatching(/\w/) });
});

it('any text is compiled or refused, and never throws', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(fc.constantFrom('input', '.', 'a', '(', ')', '[', ']', '"', '+', '?', ':', 'has', ',', '1', ' ', '!'), {
        maxLength: 60,
      })
      .map((list) => list.join('')),
  );
  fc.assert(
    fc.property(texts, fc.jsonValue(), (text, input) => {
      const found = compileKey(text);
      if ('problem' in found) expect(found.problem).toMatch(/^(is|has|names) /);
      else expect(found.keyOf(input, {})).toBeTypeOf('object');
    }),
  );
});

it('any input has a key or a reason, and equal inputs have equal ones', () => {
  const expression = compiled('has(input.a) ? input.a : labels.b');
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.constantFrom('a', 'b'), fc.string()), (input, labels) => {
      const first = expression.keyOf(input, labels);
      expect(expression.keyOf(input, labels)).toEqual(first);
      if ('key' in first && first.key !== undefined) expect(first.key.length).toBeLessThanOrEqual(256);
    }),
  );
});

it('a key expression reads nothing beyond the input', () => {
  for (const text of ['input.constructor', 'input.__proto__', 'input["constructor"]', 'labels.toString'])
    expect(keyOf(text, { a: 1 })).toEqual({ problem: expect.any(String) });
});

it('a path finds the same value as the interpreter', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
  );
  const fields = (value: fc.Arbitrary<unknown>) => fc.record({ a: value, b: value }, { requiredKeys: [] });
  const input = fc.oneof(leaf, fields(fc.oneof(leaf, fields(leaf))));
  fc.assert(
    fc.property(input, fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }), (given, path) => {
      const value = JSON.parse(JSON.stringify(given));
      const dotted = keyOf(`input.${path.join('.')}`, value);
      const indexed = keyOf(`input${path.map((field) => `["${field}"]`).join('')}`, value);
      expect('key' in dotted ? dotted : 'problem').toEqual('key' in indexed ? indexed : 'problem');
    }),
  );
});
