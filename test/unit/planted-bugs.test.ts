/** Every planted bug still fits the source that it is planted in: the simulation, which takes minutes, need not find out. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from '../simulation/mutants/mutants.ts';
import { applyPatch } from '../simulation/mutants/plant.ts';

it.each(Object.entries(mutants))('%s', (_, { patches }) => {
  const sources = new Map<string, string>();
  for (const patch of patches) {
    const before = sources.get(patch.file) ?? readFileSync(new URL(`../../${patch.file}`, import.meta.url), 'utf8');
    const after = applyPatch(before, patch);
    expect(after).not.toBe(before);
    sources.set(patch.file, after);
  }
});
