/** Divides the tests outside of the core into shares of about the same duration. */
import { matchesGlob } from 'node:path';
import { filesOf, PYTHON } from './circles.ts';
import { type Durations, readDurations, secondsOf } from './durations.ts';
import { reaching, readReferences } from './references.ts';

/** The number of shares. `npm run check` fails if one takes longer than `MAX_SHARE_S` by the known durations. */
export const SHARES = 5;
export const MAX_SHARE_S = 12 * 60;
/** Files that run at the same time. */
const WORKERS = 2;

export interface Share {
  readonly files: readonly string[];
  /** By the known durations, with two files at a time: no less than the longest file takes. */
  readonly seconds: number;
}

/** The longest file first, each to the share that has least so far. */
export function divide(files: readonly string[], durations: Durations, count: number): readonly Share[] {
  const shares = Array.from({ length: count }, () => ({ files: [] as string[], sum: 0 }));
  const longestFirst = files.toSorted((a, b) => secondsOf(durations, b) - secondsOf(durations, a) || (a < b ? -1 : 1));
  for (const file of longestFirst) {
    const least = shares.reduce((one, other) => (other.sum < one.sum ? other : one));
    least.files.push(file);
    least.sum += secondsOf(durations, file);
  }
  return shares.map(({ files, sum }) => {
    const longest = Math.max(0, ...files.map((file) => secondsOf(durations, file)));
    return { files: files.sort(), seconds: Math.round(Math.max(sum / WORKERS, longest)) };
  });
}

/**
 * Files of the core of which the core runs only a part of the cases: those that reach `cases.ts`, and the Python suite,
 * whose model of dispatch gets fewer seeds. Tests of one module always run all cases; those of this folder name its files.
 */
export function partialFiles(root: string): readonly string[] {
  const found = reaching(readReferences(root), ['test/support/run/cases.ts']);
  const core = filesOf(root, 'core').filter((file) => !matchesGlob(file, 'test/unit/**'));
  return core.filter((file) => found.has(file) || file === PYTHON);
}

export function sharesOf(root: string): readonly Share[] {
  return divide([...filesOf(root, 'share'), ...partialFiles(root)], readDurations(root), SHARES);
}
