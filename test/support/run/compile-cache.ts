/**
 * Node's compile cache for the processes that tests start: with it a replica starts in half the time. It is kept for
 * the next run as long as the sources are the same.
 */
import { createHash } from 'node:crypto';
import { globSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = '.tools/compile-cache';
/** Some tests load copies of the sources from folders of their own, which are in the cache too. */
const MAX_FILES = 20_000;

/** The folder for this run. Removes that of other sources, and one that has grown large. */
export function compileCache(root: string): string {
  const folder = join(root, FOLDER);
  const own = versionOf(root);
  const isOwn = filesIn(folder).includes(own);
  if (!isOwn || filesIn(join(folder, own), true).length > MAX_FILES) rmSync(folder, { recursive: true, force: true });
  return join(folder, own);
}

/** Of all sources: path, size and time of the last change. */
function versionOf(root: string): string {
  const files = globSync(['{server,workers,test}/**/*.{ts,mjs}', 'sdk/typescript/src/**/*.ts', 'package-lock.json'], {
    cwd: root,
  });
  const hash = createHash('sha256').update(process.version);
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

function filesIn(folder: string, recursive = false): readonly string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' });
  } catch {
    return []; // not there
  }
}
