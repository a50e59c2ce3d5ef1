/** Rounds of roll-outs: one that fails does not hold up the others. */
import { describe, expect, it } from 'vitest';
import { RolloutRounds, type RolloutRoundsParts } from '../../../../server/engine/definitions/rollout-rounds.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

describe('a round of roll-outs', () => {
  it('judges the others if one fails, says which, and tries it again', async () => {
    const time = new VirtualTime();
    const judged: string[] = [];
    const warnings: string[] = [];
    const due = ['a', 'b'].map((definition) => ({ namespace: 'default', definition, version: 2, baseVersion: 1 }));
    const rollouts = {
      findDue: async () => due,
      lockDue: async ({ definition }: { definition: string }) => void judged.push(definition),
    };
    const store = {
      rollouts,
      listOffers: async () => [],
      together: (work: (tx: object) => unknown) => work({ rollouts }),
    };
    let failures = 1;
    const get = async (_: string, name: string) => {
      if (name === 'a' && failures-- > 0) throw new Error('it can not be read');
      return {};
    };
    const rounds = new RolloutRounds({
      ...({ store, definitions: { get } } as unknown as Pick<RolloutRoundsParts, 'store' | 'definitions'>),
      clock: { nowUs: () => time.now() * 1_000 },
      timers: time,
      random: constantRandom(0.5),
      log: { info() {}, error() {}, warn: (facts) => void warnings.push(JSON.stringify(facts)) },
    });
    rounds.start();
    await time.advance(1_000);
    expect(judged).toEqual(['b']);
    expect(warnings).toEqual([expect.stringMatching(/"definition":"a".*it can not be read/)]);
    await time.advance(1_000);
    expect(judged).toEqual(['b', 'a', 'b']);
    await rounds.stop();
  });
});
