/** Steps that a user skips. */
import { describe, expect, it } from 'vitest';
import { beginFanOut, startItems } from '../../../../server/domain/workflows/fan-out.ts';
import { newRun } from '../../../../server/domain/workflows/phases.ts';
import { decideSkip, whyNotSkippable } from '../../../../server/domain/workflows/skip.ts';
import { stepOf } from '../../../support/workflows/workflow-steps.ts';

const fanOut = beginFanOut({ items: '' }, 3);

describe('the skip of a step', () => {
  it.each([
    ['WAITING', undefined, 'NOW'],
    ['RUNNING', undefined, 'LATER'],
    ['RUNNING', startItems(fanOut, 1), 'LATER'],
    ['RUNNING', fanOut, 'NOW'],
    ['SUCCEEDED', undefined, 'NEVER'],
    ['FAILED', undefined, 'NEVER'],
    ['SKIPPED', undefined, 'NEVER'],
    ['UPSTREAM_FAILED', undefined, 'NEVER'],
  ] as const)('in state %s with %o takes effect: %s', (state, items, expected) => {
    expect(decideSkip({ state, fanOut: items })).toBe(expected);
  });

  it('is allowed only in the current phase of the workflow', () => {
    const [work, tidy] = [stepOf({ name: 'a' }), stepOf({ name: 'b', role: 'FINALLY' })];
    expect(whyNotSkippable(work, 'RUNNING', newRun)).toBeUndefined();
    expect(whyNotSkippable(work, 'SKIPPED', newRun)).toBe('is SKIPPED: nothing is left to skip');
    expect(whyNotSkippable(tidy, 'WAITING', newRun)).toContain('the workflow is at WORK');
    expect(whyNotSkippable(work, 'WAITING', { ...newRun, phase: 'COMPENSATION' })).toContain('COMPENSATION');
  });
});
