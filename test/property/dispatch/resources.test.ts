/** Amounts of resources: counted exactly, given out to the last thousandth and never beyond. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Amounts, covers, fitCount, shortage, type Taken } from '../../../server/domain/dispatch/resources.ts';

const names = ['cpu', 'memory', 'gpu', 'constructor'];
const thousandths = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 1_000_000_000_000 }));

function amounts(least: number): fc.Arbitrary<Amounts> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), thousandths), { selector: ([name]) => name, minLength: least })
    .map((entries) => Object.fromEntries(entries.map(([name, units]) => [name, units / 1_000])));
}

/** The amount in whole thousandths, as BigInt: the exact value. */
const units = (given: Amounts, name: string): bigint =>
  Object.hasOwn(given, name) ? BigInt(Math.round((given[name] as number) * 1_000)) : 0n;

function sum(taken: readonly Taken[], name: string): bigint {
  return taken.reduce((total, { resources, jobs }) => total + units(resources, name) * BigInt(jobs), 0n);
}

describe('the free capacity of a session', () => {
  it('is never more than what is left, and never less than what fits', () => {
    let some = 0;
    fc.assert(
      fc.property(amounts(1), amounts(0), fc.array(amounts(1), { maxLength: 3 }), (needs, total, kinds) => {
        const taken: Taken[] = [];
        // Filled as claims do: of each kind no more than fits.
        for (const resources of kinds) {
          const jobs = Math.min(3, fitCount(resources, total, taken));
          if (jobs > 0) taken.push({ resources, jobs });
        }
        const space = fitCount(needs, total, taken);
        if (space > 0) some++;
        const fits = (jobs: number) =>
          Object.keys(needs).every((name) => sum([...taken, { resources: needs, jobs }], name) <= units(total, name));
        for (const name of names) expect(sum(taken, name) <= units(total, name)).toBe(true);
        expect(space === 0 || fits(space)).toBe(true);
        expect(fits(space + 1)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
    expect(some, 'cases with room').toBeGreaterThan(100);
  });

  it('adds tenths exactly: ten times 0.1 fill 1, and an eleventh does not fit', () => {
    const taken = (jobs: number) => [{ resources: { cpu: 0.1 }, jobs }];
    expect(fitCount({ cpu: 0.1 }, { cpu: 1 }, taken(3))).toBe(7);
    expect(fitCount({ cpu: 0.1 }, { cpu: 1 }, taken(10))).toBe(0);
  });

  it('is zero for a resource that the session does not offer, whatever its name', () => {
    for (const name of ['gpu', 'constructor', 'toString', '__proto__'])
      expect(fitCount(Object.fromEntries([[name, 1]]), { cpu: 8 }, [])).toBe(0);
  });
});

describe('the resources that an empty session covers', () => {
  it('are those that fit into it, and none is missing', () => {
    fc.assert(
      fc.property(amounts(1), amounts(0), (needs, total) => {
        expect(covers(total, needs)).toBe(fitCount(needs, total, []) > 0);
        expect(covers(total, needs)).toBe(shortage(needs, total, []) === 0);
      }),
      { numRuns: 2_000 },
    );
  });
});
