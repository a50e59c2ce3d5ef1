/** Migrates the schema: a baseline, then numbered scripts. Several replicas may start at once. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Database, Statement } from './driver/database.ts';
import type { RowOf } from './driver/row-types.ts';
import { applyMigrations, type Migration, type MigrationLog, takeTurn } from './schema/apply-migrations.ts';

export interface MigrateOptions {
  /** The last version to apply; default all. */
  readonly upTo?: number;
  /** Default those of this release. */
  readonly migrations?: readonly Migration[];
  readonly log?: MigrationLog;
}

export type { Migration };

const folder = new URL('./schema/', import.meta.url);
/** Version of the baseline. Lower versions belong to builds before the first release. */
const BASELINE = 100;

const filesOf = (url: URL) =>
  readdirSync(url)
    .filter((file) => file.endsWith('.sql'))
    .sort();
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

function baseline(): Migration {
  const parts = filesOf(new URL('baseline/', folder)).map((file) => read(`baseline/${file}`));
  return { version: BASELINE, name: 'baseline', text: `-- breaking\n${parts.join('\n')}` };
}

/** The migrations of this release, in order. */
export function releaseMigrations(): readonly Migration[] {
  const numbered = filesOf(folder).map((file) => ({
    version: Number(file.slice(0, 4)),
    name: file.slice(5, -4),
    text: read(file),
  }));
  return [baseline(), ...numbered];
}

/** The advisory lock of schema changes. */
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
  row: { version: 'int4', name: 'text', breaking: 'bool' },
} satisfies Statement;

const isApplied = ({ version }: Migration, applied: readonly RowOf<typeof readVersions>[]) =>
  applied.some((row) => row.version === version);

async function makeSchema(database: Database): Promise<void> {
  try {
    await database.script(prepare);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(
      'another process holds the schema of this database, such as a running "muster export" or "muster import": ' +
        'start again once that has ended',
      { cause: error },
    );
  }
}

/** Version of the newest migration of this release. */
export function newestVersion(): number {
  return releaseMigrations().at(-1)?.version ?? BASELINE;
}

/** @throws Error if the schema is older than the baseline, or newer and made by a breaking migration. */
function refuseForeign(applied: readonly RowOf<typeof readVersions>[], newest: number): void {
  const early = applied.findLast(({ version }) => version < BASELINE);
  if (early) {
    throw new Error(
      `the database has schema version ${early.version} (${early.name}), from a build of Muster before its first release, which ` +
        `this release (schema ${newest}) can't upgrade: let that build finish its jobs, then start this release on an empty ` +
        'database or data directory',
    );
  }
  const later = applied.find((row) => row.version > newest && row.breaking);
  if (later) {
    throw new Error(
      `the database has schema version ${later.version} (${later.name}), which this release of Muster (schema ${newest}) can't work with: start a newer release`,
    );
  }
}

/**
 * Applies the missing migrations.
 * @returns The names of the migrations that it applied.
 * @throws Error if this release can't work with the schema; then nothing was changed.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<string[]> {
  const { upTo = Number.POSITIVE_INFINITY, migrations = releaseMigrations(), log } = options;
  await makeSchema(database);
  const applied = await database.run(readVersions, []);
  refuseForeign(applied, migrations.at(-1)?.version ?? BASELINE);
  const wanted = migrations.filter((migration) => migration.version <= upTo && !isApplied(migration, applied));
  if (wanted.length === 0) return [];
  // The first start of an embedded database needs no lines.
  if (!database.maintain) return applyMigrations(database, wanted, applied.length > 0 ? log : undefined);
  return database.maintain(async (connection) => {
    await takeTurn(connection, log);
    const meanwhile = await connection.run(readVersions, []);
    const missing = wanted.filter((migration) => !isApplied(migration, meanwhile));
    return applyMigrations(connection, missing, log);
  });
}
