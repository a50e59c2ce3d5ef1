/** Which failures mean out of memory, and how much memory the next attempt takes then. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../server/domain/base/payload.ts';
import type { Demands } from '../../../server/domain/dispatch/demands.ts';
import { decideFail } from '../../../server/domain/jobs/decide.ts';
import { grownDemands, ranOutOfMemory } from '../../../server/domain/retries/memory-growth.ts';
import { failed, NOW_US, policyOf, runOf } from './support/failing-job.ts';

const demands: Demands = {
  labels: { zone: 'a' },
  resources: { cpu: 1, memory: 300 },
  memoryGrowth: { factor: 1.5, max: 600 },
};

const afterAttempt = (changes: Partial<Failure>, maxAttempts = 5) =>
  decideFail(runOf(), failed(changes), policyOf({ maxAttempts }), { nowUs: NOW_US, random: 0.5 });

describe('the memory of a retry', () => {
  it.each([
    [{ exitCode: 137 }, true],
    [{ type: 'MemoryError' }, true],
    [{ type: 'OutOfMemoryError' }, true],
    [{ type: 'OutOfMemory' }, true],
    [{ exitCode: 1 }, false],
    [{ type: 'ValueError' }, false],
  ])('grows or not after %j: %s', (changes, expected) => expect(ranOutOfMemory(failed(changes))).toBe(expected));

  it('grows up to the maximum, with other demands unchanged', () => {
    const second = grownDemands(demands, afterAttempt({ exitCode: 137 }));
    expect(second).toEqual({ ...demands, resources: { cpu: 1, memory: 450 } });
    const third = grownDemands(second as Demands, afterAttempt({ type: 'MemoryError' }));
    expect(third?.resources).toEqual({ cpu: 1, memory: 600 });
    expect(grownDemands(third as Demands, afterAttempt({ exitCode: 137 }))).toBeUndefined();
  });

  it('is unchanged without a growth setting, and after any other failure', () => {
    const { memoryGrowth: _, ...steady } = demands;
    expect(grownDemands(steady, afterAttempt({ exitCode: 137 }))).toBeUndefined();
    expect(grownDemands(demands, afterAttempt({ exitCode: 1 }))).toBeUndefined();
    expect(grownDemands(demands, afterAttempt({ exitCode: 137 }, 1))).toBeUndefined();
  });
});
