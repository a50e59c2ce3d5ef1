/** A store on a temporary database for one test file, for each kind of database. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import type { MaintenanceOptions } from '../../../server/store/driver/pglite-maintenance.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { checkRows } from '../databases/declared-rows.ts';
import { sharedPostgres, type TestDatabases } from '../databases/postgres.ts';
import { inMemory } from '../run/prepared.ts';
import { createStore } from './create-store.ts';
import { takeNoted } from './single-statements.ts';

/** The oldest and the newest supported PostgreSQL, and the embedded database. */
export type DatabaseKind = 'PostgreSQL 16' | 'PostgreSQL 18' | 'PGlite';

export interface StoreContext {
  readonly kind: DatabaseKind;
  database: Database;
  store: Store;
  /** More databases on its server; undefined on PGlite, which has only one connection. */
  databases: TestDatabases | undefined;
  /** URL of the database; undefined on PGlite. */
  url: string | undefined;
}

async function open(context: StoreContext, maintenance: MaintenanceOptions): Promise<Database> {
  if (context.kind === 'PGlite') return openPglite({ ...(await inMemory()), maintenance });
  context.databases = await sharedPostgres(context.kind === 'PostgreSQL 16' ? 16 : 18);
  context.url = await context.databases.createDatabase();
  return openPostgres({ url: context.url });
}

async function start(context: StoreContext, faults: Set<string>, maintenance: MaintenanceOptions): Promise<void> {
  context.database = checkRows(await open(context, maintenance), faults);
  await migrate(context.database);
  context.store = createStore(context.database);
  await context.store.ensurePartitions();
}

/**
 * Starts the database before the tests of the file or block, and ends it after them. A test fails if a statement returns
 * a row that it does not declare so, or if a method of the store's statements runs two. `maintenance` is PGlite's.
 */
export function useStore(kind: DatabaseKind, maintenance: MaintenanceOptions = {}): StoreContext {
  const context = { kind, databases: undefined, url: undefined } as StoreContext;
  const faults = new Set<string>();
  beforeAll(() => start(context, faults, maintenance));
  afterEach(() => {
    const found = [...faults, ...takeNoted()];
    faults.clear();
    expect(found).toEqual([]);
  });
  afterAll(async () => {
    await context.store?.close();
    await context.databases?.stop();
  });
  return context;
}

/** A row of any SQL. */
// biome-ignore lint/suspicious/noExplicitAny: a test names the columns that it has written into its SQL
export type Row = Record<string, any>;

/** Runs any SQL, with parameters written into the text. */
export function sql(context: Pick<StoreContext, 'database'>, text: string): Promise<Row[]> {
  return context.database.run({ name: '', text }, []) as Promise<Row[]>;
}

const tables = [
  'jobs',
  'job_runs',
  'job_outcomes',
  'job_attempts',
  'job_checkpoints',
  'attempt_logs',
  'sessions',
  'lanes',
  'reservations',
  'queues',
  'lane_counts',
  'lane_count_changes',
  'outbox',
  'schedules',
  'schedule_runs',
  'trigger_sources',
  'rollouts',
  'trigger_causes',
  'definition_limits',
  'rate_buckets',
  'fairness_keys',
  'submission_keys',
  'workflow_runs',
  'workflow_steps',
  'step_compensations',
  'step_cache',
  'job_inbox',
  'batches',
  'batch_counts',
  'signal_waits',
  'sent_signals',
  'job_dependencies',
  'assets',
];

/**
 * For tests of statements that read the whole database, such as the heads of all lanes. Only partitions with pages are
 * truncated: an empty one takes as long, and there are hundreds.
 */
export async function emptyTables(context: StoreContext, names: readonly string[] = tables): Promise<void> {
  await context.database.script(`
DO $$
DECLARE filled text;
BEGIN
  SELECT string_agg(oid::regclass::text, ', ') INTO filled
  FROM unnest('{${names.join(',')}}'::regclass[]) AS one
  LEFT JOIN LATERAL pg_partition_tree(one) ON isleaf, coalesce(relid, one) AS oid
  WHERE pg_relation_size(oid) > 0;
  IF filled IS NOT NULL THEN EXECUTE 'TRUNCATE ' || filled; END IF;
END $$`);
}
