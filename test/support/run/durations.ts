/**
 * The known durations of test files, with all their cases, on two cores: `durations.json` in this folder. A run of a
 * share, or of everything, updates them. They decide the order of a run, and which files make up a share.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFiles } from './circles.ts';

/** Seconds by file. */
export type Durations = Readonly<Record<string, number>>;

const FILE = 'test/support/run/durations.json';
/** Of a file that has never been measured. */
const UNKNOWN_S = 5;
/** Smaller changes are noise. */
const NOISE_S = 2;
const NOISE_SHARE = 0.25;

export function readDurations(root: string): Durations {
  return JSON.parse(readFileSync(join(root, FILE), 'utf8'));
}

export function secondsOf(durations: Durations, file: string): number {
  return durations[file] ?? UNKNOWN_S;
}

export function sumOf(durations: Durations, files: readonly string[]): number {
  return files.reduce((sum, file) => sum + secondsOf(durations, file), 0);
}

/** The durations after a run, of the files that still exist. Noise changes nothing. */
export function updated(known: Durations, measured: Durations, files: readonly string[]): Durations {
  const pairs = files.flatMap((file) => {
    const [old, now] = [known[file], measured[file]];
    const isNoise = old !== undefined && now !== undefined && Math.abs(now - old) <= NOISE_S + NOISE_SHARE * old;
    const seconds = isNoise ? old : (now ?? old);
    return seconds === undefined ? [] : [[file, Math.round(seconds * 10) / 10] as const];
  });
  return Object.fromEntries(pairs.sort());
}

/** Returns whether the file changed. */
export function updateDurations(root: string, measured: Durations): boolean {
  const known = readDurations(root);
  const now = updated(known, measured, allFiles(root));
  if (JSON.stringify(now) === JSON.stringify(known)) return false;
  writeFileSync(join(root, FILE), `${JSON.stringify(now, null, 2)}\n`);
  return true;
}
