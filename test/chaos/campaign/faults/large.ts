/** A release that migrates a large database while replicas serve and a dump reads it. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { remove, root, withMigrations } from '../../../support/base/checkout.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { Child } from '../../harness/child.ts';
import { Dump } from '../dump.ts';
import { insertEndedJobs } from '../ended-jobs.ts';
import { restartOn } from '../restart.ts';
import type { World } from '../world.ts';
import { type Fault, require, seconds } from './fault.ts';

const FIRST_VERSION = 9_000;
const READ_MS = 600_000;
const MIGRATE_MS = 300_000;
const WAITS = /waits for a transaction that uses a table/;

const largeMigrated: Fault = {
  name: 'large database migrated during a dump, then each replica of the new release, and back',
  endsReplicas: true,
  fits: ({ smallDisk }) => !smallDisk,
  async inflict(world) {
    const { run, dice, rows } = world;
    const { databaseUrl, replicas } = run.deployment;
    const before = new Map(replicas.map((replica) => [replica, replica.checkout]));
    const client = new pg.Client({ connectionString: databaseUrl });
    let release: string | undefined;
    await client.connect();
    try {
      const start = performance.now();
      const ended = await insertEndedJobs(databaseUrl, client, rows);
      const made = `${rows} ended jobs of ${ended.megabytes} MB made in ${seconds(performance.now() - start)}`;
      release = withMigrations(replicas[0]?.checkout ?? root, await migrations(client));
      const migrated = await migrateDuringDump(world, release);
      for (const replica of dice.shuffled(replicas)) await restartOn(run, replica, release);
      for (const replica of dice.shuffled(replicas)) await restartOn(run, replica, before.get(replica) ?? root);
      await ended.drop();
      return `${made}; ${migrated}`;
    } finally {
      if (release) remove(release);
      await client.end();
    }
  },
};

/**
 * A column of each table, and an index that is built while others write. Each table has a migration of its own: one that
 * waited for a table while it keeps another one locked would wait for those that wait for it.
 */
async function migrations(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p')
     AND NOT relispartition AND relname NOT IN ('chaos_journal', 'schema_migrations')`,
  );
  const columns = rows.map(({ name }, n) => [
    `${FIRST_VERSION + n}_${name}.sql`,
    `ALTER TABLE ${name} ADD COLUMN of_later text;`,
  ]);
  return {
    ...Object.fromEntries(columns),
    '9999_index.sql': `-- concurrent
DROP INDEX CONCURRENTLY IF EXISTS job_attempts_of_later;
CREATE INDEX CONCURRENTLY job_attempts_of_later ON job_attempts (outcome, job_id);`,
  };
}

/** The new release's `muster migrate` waits for the dump, and all others continue. */
async function migrateDuringDump({ run }: World, release: string): Promise<string> {
  const { databaseUrl, leaseMs } = run.deployment;
  const dump = await Dump.start(databaseUrl);
  const migrate = new Child({
    name: 'migrate',
    command: process.execPath,
    args: ['server/cli/muster.ts', 'migrate', '--postgres', databaseUrl],
    folder: release,
  });
  const waits = () => migrate.lines.filter((line) => WAITS.test(line)).length;
  try {
    const start = performance.now();
    await eventually('the migration waits for the dump', () => waits() > 0 || !migrate.alive, { timeoutMs: 60_000 });
    const reading = bounded(dump.read, READ_MS);
    const [tables] = await Promise.all([reading, delay(2 * leaseMs), run.progress(50)]);
    const lasted = performance.now() - start;
    require(migrate.alive && waits() > 0, `the migration did not wait for the dump:\n${migrate.lines.join('\n')}`);
    const tries = waits();
    await dump.end();
    const freed = performance.now();
    await eventually('the migration has ended', () => !migrate.alive, { timeoutMs: MIGRATE_MS, everyMs: 50 });
    if ((await migrate.ended) !== 0) throw new Error(`muster migrate failed:\n${migrate.lines.join('\n')}`);
    const took = seconds(performance.now() - freed);
    return `a dump of ${tables} tables for ${seconds(lasted)}, ${tries} vain tries meanwhile, migrated ${took} later`;
  } finally {
    migrate.signal('SIGKILL');
    await dump.end();
  }
}

async function bounded<T>(work: Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`the dump did not end within ${seconds(ms)}`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

export const largeFaults: readonly Fault[] = [largeMigrated];
