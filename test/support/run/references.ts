/**
 * Which files each source file names: its imports, and any other literal that is the path of a file or folder, such as
 * a program that a test starts, or a page that it reads.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Paths from the root of the checkout; that of a folder ends with a slash. */
export type References = ReadonlyMap<string, readonly string[]>;

const FOLDERS = ['server', 'sdk/typescript', 'workers', 'test', 'docs', 'proto', '.ci'];
const SOURCE = /\.(ts|mts|mjs)$/;
const LITERAL = /'([^'\n]+)'|"([^"\n]+)"|`([^`\n$]+)/g;
/** Node removes these before it loads a file. */
const TYPE_IMPORT = /^(import|export) type [^;]*;/gm;
const SDK = '@muster-jobs/sdk';

/** The paths that the text of a file names. `isPath`: whether there is such a file, or folder with a slash. */
export function namedBy(file: string, text: string, isPath: (path: string) => boolean): readonly string[] {
  const found = new Set<string>();
  for (const [, ...literals] of text.replaceAll(TYPE_IMPORT, '').matchAll(LITERAL)) {
    for (const path of pathsOf(file, literals.find((one) => one !== undefined) ?? '')) {
      const target = [path, `${path}/`].find(isPath);
      // A folder that contains the file itself is only the start of a path.
      const isStart = target !== undefined && file.startsWith(target);
      if (target !== undefined && !isStart && !target.endsWith('.test.ts')) found.add(target);
    }
  }
  return [...found];
}

function pathsOf(file: string, literal: string): readonly string[] {
  if (literal === SDK) return ['sdk/typescript/src/index.ts'];
  if (literal.startsWith(`${SDK}/`)) return [`sdk/typescript/src/${literal.slice(SDK.length + 1)}.ts`];
  const path = posix.normalize(literal.startsWith('.') ? posix.join(posix.dirname(file), literal) : literal);
  if (path.includes('/')) return [path.replace(/\/$/, '')];
  return path.endsWith('.md') ? [`docs/${path}`] : [];
}

/** Reads all sources of the checkout, in about a second. */
export function readReferences(root: string): References {
  const entries = FOLDERS.flatMap((folder) =>
    readdirSync(posix.join(root, folder), { recursive: true, withFileTypes: true }).map((entry) => ({
      path: posix.relative(root, posix.join(entry.parentPath, entry.name)),
      isFolder: entry.isDirectory(),
    })),
  ).filter(({ path }) => !path.includes('node_modules'));
  const paths = new Set(entries.map(({ path, isFolder }) => (isFolder ? `${path}/` : path)));
  const sources = entries.filter(({ path, isFolder }) => !isFolder && SOURCE.test(path)).map(({ path }) => path);
  const isPath = (path: string) => paths.has(path);
  return new Map(
    sources.map((file) => [file, namedBy(file, readFileSync(posix.join(root, file), 'utf8'), isPath)] as const),
  );
}

/** The files that reach one of the given ones, each with the next file on its way there. The given ones have none. */
export function reaching(references: References, targets: readonly string[]): ReadonlyMap<string, string | undefined> {
  const users = usersOf(references);
  const found = new Map<string, string | undefined>(targets.map((target) => [target, undefined]));
  const queue = [...targets];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const name of [next, ...foldersOf(next)]) {
      for (const user of users.get(name) ?? []) {
        if (found.has(user)) continue;
        found.set(user, next);
        queue.push(user);
      }
    }
  }
  return found;
}

function usersOf(references: References): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const [file, targets] of references) {
    for (const target of targets) users.set(target, [...(users.get(target) ?? []), file]);
  }
  return users;
}

/** `a/b/c.ts` has the folders `a/b/` and `a/`. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`).reverse();
}
