/** Rounds of triggers: one that fails, many pages of triggers, and a trigger with very many causes. */
import { describe, expect, it } from 'vitest';
import { TriggerRounds, type TriggerRoundsParts } from '../../../../server/engine/triggers/trigger-rounds.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

/** Triggers that have causes. `lock` is the first thing that advancing one does. */
function roundsOf(triggerIds: readonly string[], lock: (triggerId: string) => void) {
  const time = new VirtualTime();
  const locked: string[] = [];
  const warnings: string[] = [];
  const triggers = {
    findCaused: async (after = '', limit: number) => ({
      triggerIds: triggerIds.filter((id) => id > after).slice(0, limit),
      watchesJobs: false,
    }),
    lock: async (triggerId: string) => {
      locked.push(triggerId);
      lock(triggerId);
    },
    exists: async () => true,
  };
  const store = { triggers, together: (work: (tx: object) => unknown) => work({ triggers }) };
  const rounds = new TriggerRounds({
    store: store as unknown as TriggerRoundsParts['store'],
    clock: { nowUs: () => time.now() * 1_000 },
    maxInput: 1_000,
    timers: time,
    random: constantRandom(0.5),
    log: { info() {}, error() {}, warn: (facts) => void warnings.push(JSON.stringify(facts)) },
    announcer: { committed() {} },
  });
  return { rounds, time, locked, warnings };
}

describe('a round of triggers', () => {
  it('advances the others if one fails, says which, and tries it again', async () => {
    let failures = 1;
    const { rounds, time, locked, warnings } = roundsOf(['a', 'b', 'c'], (triggerId) => {
      if (triggerId === 'a' && failures-- > 0) throw new Error('no row of it can be read');
    });
    rounds.start();
    await time.advance(1_000);
    expect(locked).toEqual(['a', 'b', 'c']);
    expect(warnings).toEqual([expect.stringMatching(/"a".*no row of it can be read/)]);
    await time.advance(1_000);
    expect(locked).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(warnings).toHaveLength(1);
    await rounds.stop();
  });

  it('finds all of them, page after page', async () => {
    const all = Array.from({ length: 101 }, (_, i) => `t${i + 100}`);
    const { rounds, time, locked } = roundsOf(all, () => {});
    rounds.start();
    await time.advance(1_000);
    expect(locked).toEqual(all);
    await rounds.stop();
  });
});
