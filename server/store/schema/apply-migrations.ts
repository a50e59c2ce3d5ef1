/** Applies migrations, one process at a time, for as long as they take. No lock is awaited for longer than a second. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../engine/ports/ports.ts';
import type { Maintenance } from '../driver/database.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * SQL, in one transaction. It changes one table that replicas use: while it waited for a second one, those that it
   * waits for would wait for the first, and it would give up each time. First lines with a meaning:
   * `-- breaking`: it leaves a schema that older releases can't work with.
   * `-- concurrent`: each statement runs by itself, outside of a transaction, such as CREATE INDEX CONCURRENTLY. It may
   * be interrupted between any two, so it must be repeatable: DROP INDEX CONCURRENTLY IF EXISTS comes first.
   */
  readonly text: string;
}

export type MigrationLog = Pick<Log, 'info'>;

/** Advisory lock of the process that migrates, for its session: some statements need no transaction around them. */
const TURN_LOCK = 7302421;
const TURN_POLL_MS = 500;
const LOG_EVERY_MS = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';
const MAX_TRIES = 60;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 15_000;

const tryTurn = { name: '', text: `SELECT pg_try_advisory_lock(${TURN_LOCK}) AS mine`, row: { mine: 'bool' } } as const;

/** Asks again and again: a statement that waited for the lock would keep the other from ending a concurrent one. */
export async function takeTurn(connection: Maintenance, log: MigrationLog | undefined): Promise<void> {
  const start = performance.now();
  let nextLogMs = 0;
  for (;;) {
    const [turn] = await connection.run(tryTurn, []);
    if (turn?.mine) return;
    const waitedMs = Math.round(performance.now() - start);
    if (waitedMs >= nextLogMs) {
      log?.info({ waitedMs }, 'waits for another process that migrates this database');
      nextLogMs = waitedMs + LOG_EVERY_MS;
    }
    await delay(TURN_POLL_MS);
  }
}

/** @returns The names of the migrations. */
export async function applyMigrations(
  connection: Maintenance,
  migrations: readonly Migration[],
  log: MigrationLog | undefined,
): Promise<string[]> {
  for (const migration of migrations) {
    log?.info({ migration: migration.name, version: migration.version }, 'migrates the schema');
    await (isConcurrent(migration) ? applySteps(connection, migration) : applyAtOnce(connection, migration, log));
  }
  return migrations.map(({ name }) => name);
}

const marks = ({ text }: Migration) => /^(?:--.*\n)*/.exec(text)?.[0] ?? '';
const isConcurrent = (migration: Migration) => /^-- concurrent$/m.test(marks(migration));

function note(migration: Migration): string {
  const breaking = /^-- breaking$/m.test(marks(migration));
  return `INSERT INTO schema_migrations (version, name, breaking) VALUES (${migration.version}, '${migration.name}', ${breaking});`;
}

async function applySteps(connection: Maintenance, migration: Migration): Promise<void> {
  for (const statement of migration.text.split(/;\s*(?:\n|$)/))
    if (statement.trim()) await connection.script(statement);
  await connection.script(note(migration));
}

/** All others wait behind a lock that this waits for: so it gives up soon, and tries again after a growing pause. */
async function applyAtOnce(
  connection: Maintenance,
  migration: Migration,
  log: MigrationLog | undefined,
): Promise<void> {
  const script = `SET LOCAL lock_timeout = '1s'; ${note(migration)}\n${migration.text}`;
  for (let tries = 1; ; tries++) {
    try {
      return await connection.script(script);
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || tries === MAX_TRIES) throw error;
      const pauseMs = Math.round(Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS) * (0.5 + Math.random()));
      log?.info({ migration: migration.name, tries, pauseMs }, 'waits for a transaction that uses a table of it');
      await delay(pauseMs);
    }
  }
}
