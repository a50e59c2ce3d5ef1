/** Brings the schema up to date: numbered scripts, each in a transaction of its own, safe with several starters at once. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from './database.ts';

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
}

const folder = new URL('./migrations/', import.meta.url);

function readMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}_.*\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      text: readFileSync(new URL(file, folder), 'utf8'),
    }));
}

/** The advisory lock of whoever changes the schema. */
export const MIGRATION_LOCK = 7302418;
const LOCK_NOT_AVAILABLE = '55P03';

const prepare = `
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(${MIGRATION_LOCK});
  CREATE SCHEMA IF NOT EXISTS muster;
  CREATE TABLE IF NOT EXISTS muster.schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    breaking   boolean NOT NULL,
    apply_time timestamptz NOT NULL DEFAULT clock_timestamp()
  );
END $$;`;

const readVersions = {
  name: 'read_schema_versions',
  text: 'SELECT version, name, breaking FROM muster.schema_migrations ORDER BY version',
};

/** A script that begins with `-- breaking` leaves a schema that older binaries can't work with. */
function script(migration: Migration): string {
  const breaking = migration.text.startsWith('-- breaking');
  // Statements of one script are one transaction. The row goes in first: a second starter waits on it, then fails on
  // the primary key and steps aside.
  return `INSERT INTO schema_migrations (version, name, breaking) VALUES (${migration.version}, '${migration.name}', ${breaking});
${migration.text}`;
}

async function applyOne(database: Database, migration: Migration): Promise<boolean> {
  try {
    await database.script(script(migration));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '23505' && (await isApplied(database, migration.version))) return false;
    throw error;
  }
}

async function isApplied(database: Database, version: number): Promise<boolean> {
  return (await database.run(readVersions, [])).some((row) => row.version === version);
}

async function makeSchema(database: Database): Promise<void> {
  try {
    await database.script(prepare);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(
      'somebody else holds the schema of this database, such as a running "muster export" or "muster import": ' +
        'start again once that has ended',
      { cause: error },
    );
  }
}

/** Version of the newest migration that this binary knows. */
export function newestVersion(): number {
  return readMigrations().at(-1)?.version ?? 0;
}

/**
 * Applies what is missing, up to a version where one is given, and returns the names of what it applied.
 *
 * Throws when the database holds a breaking migration that this binary does not know.
 */
export async function migrate(database: Database, upTo = Number.POSITIVE_INFINITY): Promise<string[]> {
  await makeSchema(database);
  const known = readMigrations();
  const applied = await database.run(readVersions, []);
  const newest = known.at(-1)?.version ?? 0;
  const foreign = applied.find((row) => row.version > newest && row.breaking);
  if (foreign) {
    throw new Error(
      `the database has schema version ${foreign.version} (${foreign.name}), which this release of Muster (schema ${newest}) can't work with: start a newer release`,
    );
  }
  const done = new Set(applied.map((row) => row.version));
  const names: string[] = [];
  for (const migration of known) {
    if (migration.version > upTo) break;
    if (!done.has(migration.version) && (await applyOne(database, migration))) names.push(migration.name);
  }
  return names;
}
