/** A planted bug of the control plane. */

export interface Patch {
  /** Path in the repository. */
  readonly file: string;
  /** Must occur exactly once; white space does not matter. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly about: string;
  readonly patches: readonly Patch[];
}
