/** The test that each planted bug is noticed within a bounded number of seeds, for one half of the bugs. */
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import noticedAt from './noticed-at.json' with { type: 'json' };
import { Searcher } from './searcher.ts';

const SEEDS = Number(process.env.MUSTER_MUTANT_SEEDS ?? 200);
const TIMEOUT = 60 * 60_000;

/**
 * The last seed that noticed it is tried first: `noticed-at.json` only saves time, and becomes outdated with the
 * workload.
 */
function seedsFor(mutant: string): number[] {
  const last = (noticedAt as Readonly<Record<string, number>>)[mutant];
  return [...(last === undefined ? [] : [last]), ...Array.from({ length: SEEDS }, (_, n) => n + 1)];
}

export function testMutants(isMine: (name: string) => boolean): void {
  const mine = Object.entries(mutants).filter(([name]) => isMine(name));
  describe('a planted bug is noticed', { timeout: TIMEOUT }, () => {
    const searcher = new Searcher(fileURLToPath(new URL('./search.ts', import.meta.url)));
    afterAll(() => searcher.stop());

    test.for(mine.map(([name, { about }]) => ({ name, about })))('$name', async ({ name, about }) => {
      const found = await searcher.search({ mutant: name, seeds: seedsFor(name) });
      expect(found, about).not.toBeNull();
      console.log(`${name}: noticed at ${found?.text}`);
    });
  });
}
