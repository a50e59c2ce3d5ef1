/** Filters and keys of causes. */
import { describe, expect, it } from 'vitest';
import { judgeCauses } from '../../../../server/domain/triggers/advance.ts';
import { CauseJudge, compileCauseExpression } from '../../../../server/domain/triggers/cause-expressions.ts';
import type { Condition } from '../../../../server/domain/triggers/condition.ts';

const paid = { kind: 'signal', name: 'paid', key: 's', payload: { order: 'o-1', amount: 120, tags: ['a'] } };

describe('a filter', () => {
  it.each([
    ['', true],
    ['cause.payload.amount > 100', true],
    ['cause.payload.amount > 200', false],
    ['"a" in cause.payload.tags && cause.name == "paid"', true],
    ['cause.payload.missing == 1', false],
    ['has(cause.payload.missing)', false],
    ['cause.payload.amount', false],
    ['"yes"', false],
  ])('%s gives %s', (filter, counts) => {
    expect(new CauseJudge().judge({ filter, key: '' }, paid).key).toBe(counts ? '' : undefined);
  });

  it('that costs too much counts as false', () => {
    const long = { ...paid, payload: { text: 'a'.repeat(500_000) } };
    const filter = '!cause.payload.text.contains("b") && !cause.payload.text.contains("c")';
    const judged = new CauseJudge().judge({ filter, key: '' }, long);
    expect(judged.key).toBeUndefined();
    expect(judged.steps).toBeGreaterThan(50_000);
  });
});

describe('a key', () => {
  it.each([
    ['cause.payload.order', 'o-1'],
    ['cause.key', 's'],
    ['string(cause.payload.amount)', '120'],
    ['cause.payload.amount', '120'],
    ['cause.payload.amount > 1', 'true'],
    ['null', undefined],
    ['cause.payload.missing', undefined],
    ['cause.payload', undefined],
    ['"x".matches("[")', undefined],
  ])('by %s is %s', (key, expected) => {
    expect(new CauseJudge().judge({ filter: '', key }, paid).key).toBe(expected);
  });
});

describe('an expression', () => {
  it.each(['cause.', 'input.order', 'x'.repeat(1_025)])('%s is refused', (text) => {
    expect(compileCauseExpression(text)).toHaveProperty('problem');
  });
});

describe('a page of causes', () => {
  it('ends once its expressions have cost too much, and has at least one cause', () => {
    const text = 'a'.repeat(500_000);
    const filter = '!cause.payload.text.contains("b")';
    const condition: Condition = { kind: 'CAUSE', cause: { source: 'SIGNAL', name: 'paid', filter, key: '' } };
    const causes = Array.from({ length: 100 }, (_, rowId) => ({
      rowId,
      number: 0,
      timeUs: rowId,
      bytes: 1,
      value: { kind: 'signal', payload: { text } },
    }));
    const judged = judgeCauses(condition, new CauseJudge(), causes);
    expect(judged.length).toBeGreaterThan(0);
    expect(judged.length).toBeLessThan(20);
  });
});
