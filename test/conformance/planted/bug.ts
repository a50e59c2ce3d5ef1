/** A fault that is planted in the TypeScript worker, and the case of conformance that has to find it. */
import type { Patch } from '../../simulation/mutants/mutant.ts';

export interface Bug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The case that fails of it. */
  readonly fails: string;
}

const CORE = 'sdk/typescript/src/worker/core';

/** A fault in one place of the worker's core. */
export function inCore(name: string, fails: string, file: string, find: string, replace: string): Bug {
  return { name, fails, patches: [{ file: `${CORE}/${file}`, find, replace }] };
}

/** A fault in another file of the worker. */
export function inFile(name: string, fails: string, file: string, find: string, replace: string): Bug {
  return { name, fails, patches: [{ file, find, replace }] };
}
