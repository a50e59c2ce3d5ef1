/** A bug planted in the TypeScript worker, and the conformance case that must detect it. */
import type { Patch } from '../../simulation/mutants/mutant.ts';

export interface Bug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The case that must fail. */
  readonly fails: string;
}

const CORE = 'sdk/typescript/src/worker/core';

/** A bug in one place of the worker's core. */
export function inCore(name: string, fails: string, file: string, find: string, replace: string): Bug {
  return { name, fails, patches: [{ file: `${CORE}/${file}`, find, replace }] };
}

/** A bug in another file of the worker. */
export function inFile(name: string, fails: string, file: string, find: string, replace: string): Bug {
  return { name, fails, patches: [{ file, find, replace }] };
}
