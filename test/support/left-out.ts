/** What a run left out for want of a toolchain, in the words that `npm test` ends with. */
export interface LeftOut {
  /** Of the group of tests. */
  readonly name: string;
  /** What the machine lacks for it, each with what is needed. */
  readonly lacks: readonly string[];
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why it does not run on this machine. */
    leftOut?: LeftOut;
  }
}

/** A line for each toolchain; empty where none lacked. */
export function leftOutText(all: readonly LeftOut[]): string {
  const lacks = [...new Set(all.flatMap((one) => one.lacks))].sort();
  return lacks.map((lack) => `left out: ${namesOf(all, lack)}; why: ${lack}\n`).join('');
}

function namesOf(all: readonly LeftOut[], lack: string): string {
  const names = all.filter(({ lacks }) => lacks.includes(lack)).map(({ name }) => name);
  return [...new Set(names)].join(', ');
}
