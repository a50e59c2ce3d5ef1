/** Conditions of triggers, example by example. */
import { describe, expect, it } from 'vitest';
import { type Condition, heldAfter, heldAt, isMet, missingOf } from '../../../../server/domain/triggers/condition.ts';

const signal = (name: string): Condition => ({ kind: 'CAUSE', cause: { source: 'SIGNAL', name, filter: '', key: '' } });
const job: Condition = {
  kind: 'CAUSE',
  cause: { source: 'JOB', name: 'pick', states: ['FAILED', 'EXPIRED'], filter: '', key: '' },
};
const allOf = (conditions: readonly Condition[], withinMs?: number): Condition => ({
  kind: 'ALL_OF',
  conditions,
  withinMs,
});
const anyOf = (...conditions: readonly Condition[]): Condition => ({ kind: 'ANY_OF', conditions });
const at = (...times: readonly (number | undefined)[]) =>
  new Map(times.flatMap((second, i) => (second === undefined ? [] : [[i, second * 1_000_000] as const])));

describe('a condition', () => {
  it.each([
    ['all of two, both', allOf([signal('a'), signal('b')]), at(1, 2), true],
    ['all of two, one', allOf([signal('a'), signal('b')]), at(1), false],
    ['any of two, one', anyOf(signal('a'), signal('b')), at(undefined, 2), true],
    ['any of two, none', anyOf(signal('a'), signal('b')), at(), false],
    ['one and any of two', allOf([signal('a'), anyOf(signal('b'), job)]), at(1, undefined, 9), true],
    ['all of two within 5 s, 5 s apart', allOf([signal('a'), signal('b')], 5_000), at(1, 6), true],
    ['all of two within 5 s, 6 s apart', allOf([signal('a'), signal('b')], 5_000), at(1, 7), false],
  ])('%s: %s', (_title, condition, held, expected) => {
    expect(isMet(condition, held)).toBe(expected);
  });

  it('says what is missing, and the alternatives as one phrase', () => {
    const condition = allOf([signal('a'), anyOf(job, allOf([signal('b'), signal('c')]))]);
    expect(missingOf(condition, at())).toEqual(['signal a', 'job pick (FAILED or EXPIRED), or signal b and signal c']);
    expect(missingOf(condition, at(1))).toEqual(['job pick (FAILED or EXPIRED), or signal b and signal c']);
    expect(missingOf(condition, at(1, undefined, 2))).toEqual(['job pick (FAILED or EXPIRED), or signal c']);
    expect(missingOf(condition, at(1, 2))).toEqual([]);
  });
});

describe('what is held', () => {
  const near = allOf([signal('a'), signal('b')], 5_000);

  it('is the newest cause for each place', () => {
    expect(heldAfter(allOf([signal('a'), signal('b')]), at(1), 0, 9_000_000)).toEqual(at(9));
  });

  it('leaves out causes that are too old to be close to later ones', () => {
    expect(heldAfter(near, at(1), 1, 9_000_000)).toEqual(at(undefined, 9));
    expect(heldAt(near, at(1), 6_000_000)).toEqual(at(1));
    expect(heldAt(near, at(1), 6_000_001)).toEqual(at());
  });

  it('is not lost with causes that are too old for an outer part', () => {
    const condition = allOf([allOf([signal('a'), signal('b')], 1_000), signal('c')], 3_600_000);
    const later = heldAfter(condition, at(0, 0.5), 0, 7_200_000_000);
    expect(later).toEqual(at(7_200));
    const both = heldAfter(condition, later, 1, 7_200_500_000);
    expect(isMet(condition, heldAfter(condition, both, 2, 7_260_000_000))).toBe(true);
  });

  it('keeps causes that are close to each other when a newer one is not', () => {
    const condition = allOf([near, signal('c')]);
    expect(heldAfter(condition, at(1, 3), 0, 60_000_000)).toEqual(at(1, 3));
    expect(heldAfter(condition, at(1, 3), 0, 7_000_000)).toEqual(at(7, 3));
  });
});
