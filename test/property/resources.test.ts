/** Amounts of resources: counted exactly, given out to the last thousandth and never beyond. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Amounts, covers, fitCount, shortage, type Taken } from '../../server/domain/dispatch/resources.ts';

const names = ['cpu', 'memory', 'gpu', 'constructor'];
const thousandths = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 1_000_000_000_000 }));

function amounts(least: number): fc.Arbitrary<Amounts> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), thousandths), { selector: ([name]) => name, minLength: least })
    .map((entries) => Object.fromEntries(entries.map(([name, units]) => [name, units / 1_000])));
}

/** In whole thousandths, as BigInt: what the numbers stand for. */
const units = (given: Amounts, name: string): bigint =>
  Object.hasOwn(given, name) ? BigInt(Math.round((given[name] as number) * 1_000)) : 0n;

function sum(taken: readonly Taken[], name: string): bigint {
  return taken.reduce((total, { resources, jobs }) => total + units(resources, name) * BigInt(jobs), 0n);
}

describe('room in a session', () => {
  it('is never more than is left, and never less than fits', () => {
    let some = 0;
    fc.assert(
      fc.property(amounts(1), amounts(0), fc.array(amounts(1), { maxLength: 3 }), (needs, total, kinds) => {
        const taken: Taken[] = [];
        // Filled as claims do: no more of each kind than there is room for.
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

  it('of tenths adds up: ten of 0.1 fill 1, and the eleventh finds none', () => {
    const taken = (jobs: number) => [{ resources: { cpu: 0.1 }, jobs }];
    expect(fitCount({ cpu: 0.1 }, { cpu: 1 }, taken(3))).toBe(7);
    expect(fitCount({ cpu: 0.1 }, { cpu: 1 }, taken(10))).toBe(0);
  });

  it('of a session that offers none of it is none, whatever the name is', () => {
    for (const name of ['gpu', 'constructor', 'toString', '__proto__'])
      expect(fitCount(Object.fromEntries([[name, 1]]), { cpu: 8 }, [])).toBe(0);
  });
});

describe('what an empty session covers', () => {
  it('is what it has room for, and lacks nothing of', () => {
    fc.assert(
      fc.property(amounts(1), amounts(0), (needs, total) => {
        expect(covers(total, needs)).toBe(fitCount(needs, total, []) > 0);
        expect(covers(total, needs)).toBe(shortage(needs, total, []) === 0);
      }),
      { numRuns: 2_000 },
    );
  });
});
