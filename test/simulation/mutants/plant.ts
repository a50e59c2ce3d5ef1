/** Patches the source of the product while it is being loaded. Called before anything of it is imported. */
import { registerHooks } from 'node:module';
import { type Mutant, mutants, type Patch } from './mutants.ts';

const root = new URL('../../../', import.meta.url).href;

/** Matches the text whatever its white space, so that a formatter breaks nothing. */
function patternOf(text: string): RegExp {
  const words = text
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(words.join('\\s+'), 'g');
}

/** @throws Error unless the snippet is there exactly once. */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const found = source.match(patternOf(find))?.length ?? 0;
  if (found !== 1) throw new Error(`${file} has the snippet ${found} times, not once: ${find}`);
  return source.replace(patternOf(find), () => replace);
}

export interface Planted {
  /** @throws Error when a file to be patched was not loaded. */
  verify(): void;
}

/** @throws Error when there is no such mutant. */
export function plant(name: string): Planted {
  const mutant: Mutant | undefined = mutants[name];
  if (!mutant) throw new Error(`there is no mutant ${name}; there are ${Object.keys(mutants).join(', ')}`);
  const waiting = new Set(mutant.patches);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const patches = mutant.patches.filter((patch) => url === root + patch.file);
      if (patches.length === 0) return loaded;
      for (const patch of patches) waiting.delete(patch);
      const source = patches.reduce(
        applyPatch,
        typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString(),
      );
      return { ...loaded, source };
    },
  });
  return {
    verify() {
      for (const { file } of waiting) throw new Error(`${file} was not loaded, so nothing was planted in it`);
    },
  };
}
