/**
 * The folder of the embedded database: created as a whole or not at all, and refused if another major version wrote it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** PGlite's major version of PostgreSQL. */
export const PGLITE_MAJOR = 18;

function refuseOtherMajor(folder: string): void {
  const major = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  if (major === String(PGLITE_MAJOR)) return;
  throw new Error(
    `${folder} holds data of PostgreSQL ${major}, and this release of Muster embeds PostgreSQL ${PGLITE_MAJOR}: ` +
      `run "muster export muster-export.jsonl.gz --data ${dirname(folder)}" with the release that wrote it, then ` +
      '"muster import muster-export.jsonl.gz --data NEW-FOLDER" (or --postgres URL) with this one',
  );
}

/**
 * Makes sure that the folder holds a database. A new one is made next to it and moved into place: otherwise a process
 * that is killed half-way would leave a folder that never starts again.
 * Throws if the folder holds data of another major version, or other files.
 */
export async function prepareFolder(folder: string, makeDatabase: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(join(folder, 'PG_VERSION'))) return refuseOtherMajor(folder);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} is neither empty nor the folder of an embedded database: give another data folder`);
  }
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await makeDatabase(unfinished);
  renameSync(unfinished, folder);
}

/** A file of PostgreSQL's write-ahead log: a start makes a new one. */
const NEEDED_BYTES = 16 << 20;

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Why the database in this folder did not start: on a full disk PGlite says no more than that it was aborted. */
export function startFailure(folder: string, error: Error, free = freeBytes(folder)): Error {
  if (free >= NEEDED_BYTES) return error;
  const reason = `the disk of ${folder} is full: ${Math.floor(free / 1_000_000)} MB are free, and the embedded database needs`;
  return new Error(`${reason} ${NEEDED_BYTES >> 20} to start. Free space: what it has acknowledged is kept`, {
    cause: error,
  });
}
