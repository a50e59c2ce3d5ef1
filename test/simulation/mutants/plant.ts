/** Patches the source of the product while it is loaded. */
import { registerHooks } from 'node:module';
import type { Mutant, Patch } from './mutant.ts';
import { mutants } from './mutants.ts';

const root = new URL('../../../', import.meta.url).href;

/** Matches the text with any white space, so that a formatter breaks nothing. */
function patternOf(text: string): RegExp {
  const words = text
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(words.join('\\s+'), 'g');
}

/** @throws Error unless the snippet occurs exactly once. */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const found = source.match(patternOf(find))?.length ?? 0;
  if (found !== 1) throw new Error(`${file} has the snippet ${found} times, not once: ${find}`);
  return source.replace(patternOf(find), () => replace);
}

/** Patches of planted bugs whose file is not loaded yet. */
const waiting = new Map<string, Set<Patch>>();

/**
 * Imports a file of the simulation with a bug planted in its imports. Each bug has its own instance of every module,
 * except stateless ones: packages and generated code. So no bug affects the next one.
 *
 * @throws Error if there is no such mutant, a snippet does not occur exactly once, or a file to be patched is not
 * loaded.
 */
export async function importPlanted<T>(name: string, path: string): Promise<T> {
  const mutant = mutants[name];
  if (!mutant) throw new Error(`there is no mutant ${name}; there are ${Object.keys(mutants).join(', ')}`);
  if (waiting.size === 0) registerHooks({ resolve: resolvePlanted, load: loadPlanted });
  const patches = waiting.get(name) ?? new Set(mutant.patches);
  waiting.set(name, patches);
  const planted = await import(`${root}${path}?mutant=${name}`);
  for (const { file } of patches) throw new Error(`${file} was not loaded, so nothing was planted in it`);
  return planted;
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>;

/** The imports of a module with a bug have the bug as well. */
const resolvePlanted: Hooks['resolve'] = (specifier, context, nextResolve) => {
  const resolved = nextResolve(specifier, context);
  const name = nameIn(context.parentURL);
  const { url } = resolved;
  const isShared = !url.startsWith(root) || url.includes('/node_modules/') || url.includes('/gen/');
  return name === undefined || isShared ? resolved : { ...resolved, url: `${url}?mutant=${name}` };
};

const loadPlanted: Hooks['load'] = (url, context, nextLoad) => {
  const loaded = nextLoad(url, context);
  const name = nameIn(url);
  if (name === undefined) return loaded;
  const patches = (mutants[name] as Mutant).patches.filter(({ file }) => url.startsWith(`${root}${file}?`));
  if (patches.length === 0) return loaded;
  for (const patch of patches) waiting.get(name)?.delete(patch);
  return { ...loaded, source: patches.reduce(applyPatch, textOf(loaded.source)) };
};

function nameIn(url: string | undefined): string | undefined {
  return url?.match(/\?mutant=(\w+)$/)?.[1];
}

function textOf(source: unknown): string {
  return typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString();
}
