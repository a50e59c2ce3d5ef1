/** Every planted bug still fits the source it changes. This needs no run of the simulation, and no toolchain. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { goBugs } from '../conformance/planted/go.ts';
import { javaBugs } from '../conformance/planted/java.ts';
import { pythonBugs } from '../conformance/planted/python.ts';
import { rustBugs } from '../conformance/planted/rust.ts';
import { mutants } from '../simulation/mutants/mutants.ts';
import noticedAt from '../simulation/mutants/noticed-at.json' with { type: 'json' };
import { applyPatch } from '../simulation/mutants/plant.ts';

const conformanceBugs = Object.entries({ Python: pythonBugs, Go: goBugs, Java: javaBugs, Rust: rustBugs }).flatMap(
  ([language, bugs]) => bugs.map((bug) => [`${language}: ${bug.name}`, bug] as const),
);

it.each([...Object.entries(mutants), ...conformanceBugs])(
  'the bug "%s" fits the source that it changes',
  (_, { patches }) => {
    const sources = new Map<string, string>();
    for (const patch of patches) {
      const before = sources.get(patch.file) ?? readFileSync(new URL(`../../${patch.file}`, import.meta.url), 'utf8');
      const after = applyPatch(before, patch);
      expect(after).not.toBe(before);
      sources.set(patch.file, after);
    }
  },
);

it('each stored seed belongs to a planted bug', () => {
  expect(Object.keys(mutants)).toEqual(expect.arrayContaining(Object.keys(noticedAt)));
});

it('a patch is refused unless its snippet occurs exactly once', () => {
  const patch = { file: 'x.ts', find: 'a + b', replace: 'a - b' };
  expect(applyPatch('const c = a\n  + b;', patch)).toBe('const c = a - b;');
  expect(() => applyPatch('const c = a;', patch)).toThrow('0 times');
  expect(() => applyPatch('a + b; a + b', patch)).toThrow('2 times');
});
