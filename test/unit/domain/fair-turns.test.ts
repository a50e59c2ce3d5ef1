/** The turns of jobs with fairness keys. */
import { describe, expect, it } from 'vitest';
import { takeTurns } from '../../../server/domain/dispatch/fair-turns.ts';

const lane = { namespace: 'default', queue: 'default', weights: { heavy: 2 }, virtualTimeUs: 1_000_000 };
const rankOf = (fairnessKey: string) => {
  const { ranks } = takeTurns([{ jobId: 'job', laneId: 1, fairnessKey, priority: 0 }], new Map([[1, lane]]), []);
  return ranks.get('job');
};

describe('the turn of a job', () => {
  it('depends on the weight of its key', () => {
    expect(rankOf('heavy')).toBeLessThan(rankOf('light') as number);
  });

  it.each(['constructor', 'toString', '__proto__'])('has weight 1 for the key %s', (key) => {
    expect(rankOf(key)).toBe(rankOf('light'));
  });
});
