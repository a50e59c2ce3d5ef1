/** What one transaction starts of a workflow is bounded in jobs, in bytes and in time. */
import { describe, expect, it } from 'vitest';
import { StartBudget } from '../../../../server/engine/workflows/steps/start-budget.ts';

function budgetOf(now = { us: 0 }) {
  return new StartBudget({ jobs: 3, bytes: 100, untilUs: 1_000, nowUs: () => now.us });
}

describe('the budget of starts', () => {
  it('is spent once as many jobs were attempted as it allows', () => {
    const budget = budgetOf();
    for (let n = 0; n < 3; n++) {
      expect(budget.isSpent).toBe(false);
      budget.addJob();
    }
    expect(budget.isSpent).toBe(true);
  });

  it('is spent once the inputs have reached its bytes', () => {
    const budget = budgetOf();
    budget.addJob();
    budget.addBytes(99);
    expect(budget.isSpent).toBe(false);
    budget.addBytes(1);
    expect(budget.isSpent).toBe(true);
  });

  it('has the rest left', () => {
    const budget = budgetOf();
    expect(budget.left).toEqual({ jobs: 3, bytes: 100 });
    budget.addJob();
    budget.addBytes(120);
    expect(budget.left).toEqual({ jobs: 2, bytes: 0 });
  });

  it('is spent once its time is over, also by a condition alone', () => {
    const budget = budgetOf({ us: 2_000 });
    budget.addCondition();
    expect(budget.isSpent).toBe(true);
  });

  it('is spent once its time is over, but allows a first job', () => {
    const now = { us: 2_000 };
    const budget = budgetOf(now);
    expect(budget.isSpent).toBe(false);
    budget.addJob();
    expect(budget.isSpent).toBe(true);
    now.us = 0;
    expect(budget.isSpent).toBe(false);
  });
});
