/** The folder of the embedded database: made whole or not at all, and refused when another major version wrote it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Major version of the PostgreSQL that PGlite is. */
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
 * Sees to it that the folder holds a database. A new one is made beside it and moved into place: a process that is
 * killed half-way would else leave a folder that never starts again.
 *
 * Throws when the folder holds the data of another major version, or something else altogether.
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
