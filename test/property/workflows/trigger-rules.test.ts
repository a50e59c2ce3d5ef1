/** Trigger rules by counts compared with the same rules by lists of outcomes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import { decideRule, noneEnded, withEnd } from '../../../server/domain/workflows/trigger-rules.ts';
import { outcomes, verdictNow } from '../../support/workflows/workflow-oracle.ts';
import { rules } from './arbitraries.ts';

type Need = EndedStepState | undefined;

/** All lists of that many needs, some of which have not ended, each order once. */
function listsOf(length: number): Need[][] {
  if (length === 0) return [[]];
  return listsOf(length - 1).flatMap((list) => [...outcomes, undefined].map((need) => [...list, need]));
}

function decided(rule: (typeof rules)[number], needs: readonly Need[]) {
  const counts = needs.reduce((sum, need) => (need ? withEnd(sum, need) : sum), noneEnded);
  return decideRule(rule, counts, needs.length);
}

const anyRule = fc.constantFrom(...rules);

describe('decideRule', () => {
  it.each(rules)('%s gives for up to four needs the result of the list', (rule) => {
    for (const needs of [0, 1, 2, 3, 4].flatMap(listsOf))
      expect(decided(rule, needs), needs.join()).toBe(verdictNow(rule, needs));
  });

  it('gives the result of the list for many needs too', () => {
    const needs = fc.array(fc.constantFrom<Need>(...outcomes, undefined), { maxLength: 50, size: 'max' });
    // Long lists contain every outcome, unless they have few kinds.
    const similar = fc.subarray<Need>([...outcomes, undefined], { minLength: 1, maxLength: 2 });
    const few = similar.chain((kinds) => fc.array(fc.constantFrom(...kinds), { maxLength: 50, size: 'max' }));
    fc.assert(
      fc.property(anyRule, fc.oneof(needs, few), (rule, list) => {
        expect(decided(rule, list)).toBe(verdictNow(rule, list));
      }),
    );
  });

  it('decides once: later ends never lead back to WAIT, and change nothing except in ALL_SUCCESS', () => {
    fc.assert(
      fc.property(anyRule, fc.array(fc.constantFrom(...outcomes), { minLength: 1, maxLength: 8 }), (rule, ends) => {
        const said = ends.map((_, i) => decided(rule, [...ends.slice(0, i), ...ends.slice(i).map(() => undefined)]));
        const all = [...said, decided(rule, ends)];
        const first = all.find((decision) => decision !== 'WAIT');
        const after = all.slice(all.findIndex((decision) => decision !== 'WAIT'));
        expect(first).toBeDefined();
        expect(after).not.toContain('WAIT');
        if (rule !== 'ALL_SUCCESS') expect(new Set(after).size).toBe(1);
      }),
    );
  });
});
