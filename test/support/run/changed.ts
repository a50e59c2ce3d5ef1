/** Chooses the test files that changed files reach, and says why. */
import { matchesGlob } from 'node:path';
import { PYTHON } from './circles.ts';
import { type References, reaching } from './references.ts';

export interface Chosen {
  readonly file: string;
  /** From the test file to the changed file. */
  readonly way: readonly string[];
}

const LANGUAGES = ['python', 'go', 'rust', 'java'] as const;

/** What no import shows. `instead`: no other test is chosen for the file, though some may reach it. */
interface Use {
  readonly changed: string;
  readonly tests: readonly string[];
  readonly instead?: boolean;
}

const EVERYTHING = ['test/**', PYTHON];

const uses: readonly Use[] = [
  { changed: '{package.json,package-lock.json,vitest.config.ts,.ci/setup/**}', tests: EVERYTHING },
  { changed: '{server,sdk,workers,test,.ci}/**/*.{ts,mjs}', tests: ['test/unit/architecture.test.ts'] },
  { changed: 'server/**/*.sql', tests: ['test/integration/store/**'], instead: true },
  { changed: 'proto/**', tests: ['test/languages/*', 'test/conformance/*', PYTHON] },
  ...LANGUAGES.map((language) => ({
    changed: `{sdk/${language}/**,workers/*${language}*/**}`,
    tests: [`test/**/*${language}*`, ...(language === 'python' ? [PYTHON] : [])],
  })),
];

/** `files`: all test files. */
export function choose(
  changed: readonly string[],
  references: References,
  files: readonly string[],
): readonly Chosen[] {
  const chosen = new Map<string, readonly string[]>();
  const add = (file: string, way: readonly string[]) => {
    if (!chosen.has(file)) chosen.set(file, way);
  };
  for (const one of changed) {
    const of = uses.filter(({ changed }) => matchesGlob(one, changed));
    if (files.includes(one)) add(one, [one]);
    for (const file of files) {
      if (of.some(({ tests }) => tests.some((glob) => matchesGlob(file, glob)))) add(file, [file, one]);
    }
    if (of.some(({ instead }) => instead)) continue;
    const found = reaching(references, [one, ...generatedFrom(one)]);
    for (const file of files) if (found.has(file)) add(file, wayOf(found, file));
  }
  return [...chosen].map(([file, way]) => ({ file, way })).sort((a, b) => a.way.length - b.way.length);
}

/** `proto/a/v1/b.proto` makes `b_pb.ts`. */
function generatedFrom(file: string): readonly string[] {
  const [, path] = /^proto\/(.+)\.proto$/.exec(file) ?? [];
  return path === undefined ? [] : [`sdk/typescript/src/gen/${path}_pb.ts`];
}

function wayOf(found: ReadonlyMap<string, string | undefined>, file: string): readonly string[] {
  const way: string[] = [];
  for (let next: string | undefined = file; next !== undefined; next = found.get(next)) way.push(next);
  return way;
}
