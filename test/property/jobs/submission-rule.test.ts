/** Submission rules: which jobs block a submission, and for how long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobState, stateCodes } from '../../../server/domain/jobs/job-state.ts';
import {
  alwaysBlocking,
  blockingStates,
  isBlocking,
  missingStates,
  periodStart,
  remainingMs,
} from '../../../server/domain/jobs/submission-rule.ts';
import { NOON_US } from '../base/arbitraries.ts';

const allStates = Object.keys(stateCodes) as JobState[];
const someStates = fc.array(fc.constantFrom(...allStates), { maxLength: 20 });

describe('blocking states', () => {
  it('are the same for any order and repetition in the input', () => {
    fc.assert(
      fc.property(someStates, (states) => {
        const once = blockingStates(states);
        expect(blockingStates([...states].reverse())).toEqual(once);
        expect(blockingStates([...once, ...once])).toEqual(once);
        expect(once).toEqual(allStates.filter((state) => once.includes(state)));
      }),
    );
  });

  it('may be any set that includes the states of a job that is about to run or runs', () => {
    fc.assert(
      fc.property(someStates, (states) => {
        const missing = missingStates(states);
        if (states.length === 0) expect(missing).toEqual([]);
        else
          expect([...missing, ...alwaysBlocking.filter((state) => states.includes(state))].sort()).toEqual(
            [...alwaysBlocking].sort(),
          );
        expect(missingStates([...states, ...alwaysBlocking])).toEqual([]);
      }),
    );
  });

  it('are all open ones and SUCCEEDED by default', () => {
    const open = allStates.filter((state) => !['FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED'].includes(state));
    expect(blockingStates([])).toEqual(open);
    for (const state of allStates) expect(isBlocking(state, blockingStates([]))).toBe(open.includes(state));
  });

  it('do not include the state of a deleted job', () => {
    expect(isBlocking(undefined, allStates)).toBe(false);
  });
});

const second = fc.integer({ min: 1_000, max: 315_576_000_000 });
const time = fc.integer({ min: 0, max: 2 * NOON_US });

describe('throttle periods', () => {
  it('contain each time in exactly one period, which begins at a multiple since 1970', () => {
    fc.assert(
      fc.property(time, second, (us, periodMs) => {
        const start = periodStart(us, periodMs);
        expect(start % periodMs).toBe(0);
        expect(start * 1_000).toBeLessThanOrEqual(us);
        expect((start + periodMs) * 1_000).toBeGreaterThan(us);
      }),
    );
  });

  it('are the same for two times when no multiple lies between them', () => {
    fc.assert(
      fc.property(time, second, fc.integer({ min: 0, max: 1e12 }), (us, periodMs, more) => {
        const same = periodStart(us, periodMs) === periodStart(us + more, periodMs);
        expect(same).toBe((periodStart(us, periodMs) + periodMs) * 1_000 > us + more);
      }),
    );
  });
});

describe('the remaining time of a throttle', () => {
  it('is zero from its end on, and never too short before it', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: -1e9, max: 1e9 }), (nextUs, offset) => {
        const ms = remainingMs(nextUs, nextUs + offset);
        if (offset >= 0) expect(ms).toBe(0);
        else {
          expect(ms * 1_000).toBeGreaterThanOrEqual(-offset);
          expect((ms - 1) * 1_000).toBeLessThan(-offset);
        }
      }),
    );
  });
});
