/** Retry rules: the first match decides, conditions only narrow, and a rule applies to a loss only when it names it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../server/domain/definitions/definition.ts';
import { countOf, withOneMore } from '../../../server/domain/jobs/cause-counts.ts';
import { findRule, type RetryCause, retryCauseOf, retryCauses } from '../../../server/domain/retries/retry-rules.ts';
import { judgeFailure } from '../../../server/domain/retries/retry-verdict.ts';
import { chance, failure, NOON_US, openRun, plainPolicy, retryRule } from '../base/arbitraries.ts';

const rules = fc.array(retryRule, { maxLength: 20 });
const causes = Object.keys(retryCauses) as RetryCause[];
const { retryPolicy: plain } = definitionDefaults;

describe('findRule', () => {
  it('finds only the first rule that matches', () => {
    fc.assert(
      fc.property(rules, failure, fc.boolean(), (list, failed, lost) => {
        const alone = list.findIndex((rule) => findRule([rule], failed, lost));
        const found = findRule(list, failed, lost);
        expect(found?.number).toBe(alone < 0 ? undefined : alone + 1);
        if (found) expect(found).toMatchObject(list[alone] ?? {});
      }),
    );
  });

  it('finds no more with a condition than without it', () => {
    fc.assert(
      fc.property(retryRule, failure, (rule, failed) => {
        if (!findRule([rule], failed, false)) return;
        const { types, exitCodes, causes: named } = rule;
        if (types) expect(types).toContain(failed.type);
        if (exitCodes) expect(exitCodes).toContain(failed.exitCode);
        if (named) expect(named).toContain(retryCauseOf(failed));
      }),
    );
    fc.assert(
      fc.property(failure, (failed) => {
        expect(findRule([{ action: 'PAUSE' }], failed, false)?.number).toBe(1);
      }),
    );
  });

  it('applies to a loss only when the rule names it', () => {
    const lost = systemFailure('LOST_WORKER', 'WorkerLost', '');
    fc.assert(
      fc.property(rules, (list) => {
        const found = findRule(list, lost, true);
        if (found) expect(found.causes).toContain('LOST_WORKER');
      }),
    );
  });
});

describe('a rule', () => {
  it('does not apply to a final failure', () => {
    fc.assert(
      fc.property(
        openRun('RUNNING', plain),
        plainPolicy,
        rules,
        failure,
        chance,
        (run, policy, list, failed, random) => {
          const final = { ...failed, nonRetryable: true };
          const verdict = judgeFailure(run, final, { ...policy, rules: list }, { nowUs: NOON_US, random });
          expect(verdict).toMatchObject({ kind: 'stop', failure: final });
        },
      ),
    );
  });

  it('that only repeats the default changes nothing but the reason', () => {
    fc.assert(
      fc.property(openRun('RUNNING', plain), plainPolicy, failure, chance, (run, policy, failed, random) => {
        const cause = retryCauseOf(failed);
        const same = { action: cause === 'INFRASTRUCTURE' ? 'IGNORE' : 'RETRY' } as const;
        const given = { ...policy, nonRetryableTypes: [] };
        const moment = { nowUs: NOON_US, random };
        const { reason: _, ...without } = judgeFailure(run, failed, given, moment);
        const { reason: __, ...ruled } = judgeFailure(run, failed, { ...given, rules: [same] }, moment);
        expect(ruled).toEqual(without);
      }),
    );
  });
});

describe('failure counts by cause', () => {
  it('are kept separately, up to 1,023', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...causes), { maxLength: 3_000 }), (list) => {
        const packed = list.reduce(withOneMore, 0);
        expect(Number.isSafeInteger(packed)).toBe(true);
        for (const cause of causes) {
          const count = list.filter((one) => one === cause).length;
          expect(countOf(packed, cause)).toBe(Math.min(count, 1_023));
        }
      }),
    );
    const many = Array.from({ length: 1_100 }, (): RetryCause => 'TIMEOUT').reduce(withOneMore, 0);
    expect([countOf(many, 'TIMEOUT'), countOf(many, 'LOST_WORKER')]).toEqual([1_023, 0]);
  });
});
