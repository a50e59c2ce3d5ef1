/** Tests that a run left out because a toolchain is missing, as text for the end of `npm test`. */
export interface LeftOut {
  /** Name of the group of tests. */
  readonly name: string;
  /** The missing toolchains, each with the required version. */
  readonly lacks: readonly string[];
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test does not run on this machine. */
    leftOut?: LeftOut;
  }
}

/** A line per missing toolchain; empty when none is missing. */
export function leftOutText(all: readonly LeftOut[]): string {
  const lacks = [...new Set(all.flatMap((one) => one.lacks))].sort();
  return lacks.map((lack) => `left out: ${namesOf(all, lack)}; why: ${lack}\n`).join('');
}

function namesOf(all: readonly LeftOut[], lack: string): string {
  const names = all.filter(({ lacks }) => lacks.includes(lack)).map(({ name }) => name);
  return [...new Set(names)].join(', ');
}
