/** What a run of the tests contains, by its arguments. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { choose } from './changed.ts';
import { allFiles, filesOf } from './circles.ts';
import { readDurations, sumOf } from './durations.ts';
import { changesSince, HEAD } from './git-changes.ts';
import { readReferences } from './references.ts';
import { SHARES, sharesOf } from './shares.ts';

export interface Plan {
  /** The command that runs the same. */
  readonly command: string;
  /** Test files; undefined if vitest finds them by `args`. */
  readonly files: readonly string[] | undefined;
  /** Arguments for vitest. */
  readonly args: readonly string[];
  readonly isCore?: boolean;
  /** Whether the run updates the known durations. */
  readonly measures?: boolean;
  /** Lines to print before the run. */
  readonly says: readonly string[];
}

export const usage = `The tests.

  npm test                              the core: some tests of every kind, in minutes
  npm test -- PATH... [OPTION...]       all cases of the files that you name; any option of vitest
  npm test -- --changed [REV] [PATH...] the files that your changes reach: what is not committed, or all since REV;
                                        with paths, only the files below them
  npm run test:share -- N               one of the ${SHARES} shares of all that the core leaves out
  npm run test:all                      the core and all shares
  npm run test:traces                   the tests of traces; builds Jaeger first
  npm run release:check                 everything, with benchmarks and a campaign of faults; takes hours

docs/testing.md says when to run which.`;

const minutes = (seconds: number) => Math.max(1, Math.round(seconds / 60));

export function planOf(root: string, args: readonly string[]): Plan {
  const [first, ...rest] = args;
  if (first === undefined) return corePlan(root);
  if (first === '--all')
    return { command: 'npm run test:all', files: everything(root), args: rest, measures: true, says: [] };
  if (first === '--share') return sharePlan(root, rest);
  if (first === '--changed') return changedPlan(root, rest);
  return { command: `npm test -- ${args.join(' ')}`, files: undefined, args, says: [] };
}

const corePlan = (root: string): Plan => ({
  command: 'npm test',
  files: filesOf(root, 'core'),
  args: [],
  isCore: true,
  says: [],
});

const everything = (root: string) => [...filesOf(root, 'core'), ...filesOf(root, 'share')];

function sharePlan(root: string, [number, ...args]: readonly string[]): Plan {
  const shares = sharesOf(root);
  const share = shares[Number(number) - 1];
  if (share === undefined) {
    const lines = shares.map(({ files, seconds }, index) => {
      return `  npm run test:share -- ${index + 1}    ${files.length} files, about ${minutes(seconds)} min on 2 cores`;
    });
    const asked = number === undefined ? 'say which share' : `there is no share "${number}"`;
    throw new Error([`test:share: ${asked}:`, ...lines].join('\n'));
  }
  const command = `npm run test:share -- ${number}`;
  const says = [
    `share ${number} of ${shares.length}: ${share.files.length} files, about ${minutes(share.seconds)} min on 2 cores`,
  ];
  return { command, files: share.files, args, measures: true, says };
}

function changedPlan(root: string, args: readonly string[]): Plan {
  const [first = HEAD, ...others] = args;
  const isPath = (arg: string) => existsSync(join(root, arg));
  const [revision, paths] = isPath(first) ? [HEAD, args] : [first, others];
  const below = (file: string) => paths.length === 0 || paths.some((path) => file.startsWith(path));
  const changed = changesSince(root, revision);
  const long = filesOf(root, 'long');
  const files = allFiles(root).filter((file) => !long.includes(file));
  const chosen = choose(changed, readReferences(root), files).filter(({ file }) => below(file));
  const cost =
    sumOf(
      readDurations(root),
      chosen.map(({ file }) => file),
    ) / 2;
  const says = [
    `${changed.length} files differ from ${revision}: ${listed(changed)}`,
    ...chosen.map(({ way }) => `  ${way.join(' < ')}`),
    `they reach ${chosen.length} test files of ${files.length}, about ${minutes(cost)} min on 2 cores`,
    ...(changed.length === 0 ? ['give a revision to go further back: npm test -- --changed HEAD~1'] : []),
  ];
  const command = `npm test -- --changed ${args.join(' ')}`.trim();
  return { command, files: chosen.map(({ file }) => file), args: [], says };
}

const MAX_LISTED = 10;

function listed(files: readonly string[]): string {
  const more = files.length - MAX_LISTED;
  return [...files.slice(0, MAX_LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ') || 'none';
}

const isPython = (arg: string) => arg.startsWith('sdk/python');

/** Empty if the plan has no tests for vitest. Options after paths of Python tests are for pytest. */
export function vitestArgs({ files, args }: Plan): readonly string[] {
  const others = files?.filter((file) => !isPython(file));
  if (others !== undefined) return others.length > 0 ? [...others, ...args] : [];
  return isPython(args[0] ?? '') ? args.filter((arg) => arg.startsWith('test/')) : args.filter((arg) => !isPython(arg));
}

/** Empty if the plan has no tests for pytest. */
export function pytestArgs({ files, args }: Plan): readonly string[] {
  if (files !== undefined) return files.filter(isPython);
  return isPython(args[0] ?? '') ? args.filter((arg) => !arg.startsWith('test/')) : args.filter(isPython);
}
