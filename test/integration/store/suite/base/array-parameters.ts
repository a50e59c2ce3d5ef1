/** Array parameters: the database reads exactly what a statement was given. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Element } from '../../../../../server/store/driver/arrays.ts';
import type { Row, StoreContext } from '../../../../support/store/store-context.ts';

const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
// Neither text nor JSON may contain a NUL.
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
const json = fc.dictionary(text, fc.oneof(text, fc.boolean(), int(32))).map((value) => JSON.stringify(value));

const elements: Record<string, fc.Arbitrary<Element>> = {
  boolean: fc.boolean(),
  bytea: fc.uint8Array(),
  smallint: int(16),
  int: int(32),
  bigint: fc.maxSafeInteger(),
  text,
  'double precision': fc.double({ noNaN: true }).map((value) => value + 0),
  // From 1970 to 2255, where microseconds are exact numbers.
  timestamptz: fc.integer({ min: 0, max: 9_000_000_000_000_000 }),
  uuid: fc.uuid(),
};

const refused: [string, Element, string][] = [
  ['uuid', 'not-a-uuid', '22P02'],
  ['uuid', '0199aaaa-bbbb-7ccc-8ddd-eeeeffff000g', '22P02'],
  ['uuid', '0199aaaa-bbbb-7ccc-8ddd-eeeeffff000', '22P02'],
  ['uuid', '0199aaaa-bbbb-7ccc-8ddd-eeeeffff000é', '22P02'],
  ['smallint', 32_768, '22003'],
  ['int', -2_147_483_649, '22003'],
  ['int', 1.5, '22003'],
  ['bigint', 2 ** 53, '22003'],
  ['bigint', Number.NaN, '22003'],
  ['timestamptz', Number.POSITIVE_INFINITY, '22003'],
];

export function arrayParametersSuite(context: StoreContext): void {
  const unnest = async (type: string, items: readonly Element[]): Promise<unknown[]> => {
    const statement = { name: '', text: `SELECT unnest($1::${type}[]) AS item` };
    return ((await context.database.run(statement, [items])) as Row[]).map((row) => row.item);
  };

  describe('an array parameter', () => {
    it.each(Object.entries(elements))('of %s is read as it was given', async (type, element) => {
      const list = fc.array(fc.option(element, { nil: undefined, freq: 4 }), { maxLength: 50 });
      const property = fc.asyncProperty(list, async (items) => {
        const read = (await unnest(type, items)).map((item) => (Buffer.isBuffer(item) ? new Uint8Array(item) : item));
        expect(read).toEqual(items.map((item) => item ?? null));
      });
      await fc.assert(property, { numRuns: 30 });
    });

    it('of jsonb is read as it was given', async () => {
      const list = fc.array(fc.option(json, { nil: null, freq: 4 }), { maxLength: 50 });
      const property = fc.asyncProperty(list, async (items) => {
        expect(await unnest('jsonb', items)).toEqual(items.map((item) => (item === null ? null : JSON.parse(item))));
      });
      await fc.assert(property, { numRuns: 30 });
    });

    it('accepts capital letters in its UUIDs', async () => {
      const id = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001';
      expect(await unnest('uuid', [id.toUpperCase()])).toEqual([id]);
    });

    it.each(refused)('of %s is refused for %s with the code that PostgreSQL gives', async (type, item, code) => {
      await expect(unnest(type, [item])).rejects.toMatchObject({ code });
    });
  });
}
