/** The test that each planted bug is noticed within a bounded number of seeds, for one half of the bugs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { profileOf } from '../scenario/profile.ts';
import { mutants } from './mutants.ts';
import { Searcher } from './searcher.ts';

const SEEDS = Number(process.env.MUSTER_MUTANT_SEEDS ?? 200);
const TIMEOUT = 60 * 60_000;

/** The seed that noticed each bug last. It only saves time, and becomes outdated with the workload. */
const file = new URL('./noticed-at.json', import.meta.url);
const readNoticedAt = (): Readonly<Record<string, number>> => JSON.parse(readFileSync(file, 'utf8'));
const noticedAt = readNoticedAt();

/** Short seeds first: they notice most bugs, too. */
const seeds = Array.from({ length: SEEDS }, (_, n) => n + 1).sort((a, b) => profileOf(a).healMs - profileOf(b).healMs);

function seedsFor(mutant: string): number[] {
  const last = noticedAt[mutant];
  return last === undefined ? seeds : [last, ...seeds.filter((seed) => seed !== last)];
}

/** The file is read again, because the tests of the other half may have written it. */
function keep(mutant: string, seed: number): void {
  const kept = Object.entries({ ...readNoticedAt(), [mutant]: seed }).filter(([name]) => name in mutants);
  const sorted = Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
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
      if (process.env.UPDATE === '1' && found) keep(name, found.seed);
    });
  });
}
