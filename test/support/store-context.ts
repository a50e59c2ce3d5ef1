/** A store on a scratch database for one test file: the same for each database that the suite runs on. */
import { afterAll, beforeAll } from 'vitest';
import type { Store } from '../../server/engine/store-port.ts';
import type { Database, Row } from '../../server/store/database.ts';
import { migrate } from '../../server/store/migrate.ts';
import { openPglite } from '../../server/store/pglite.ts';
import { openPostgres } from '../../server/store/postgres.ts';
import { createStore } from '../../server/store/store.ts';
import { type ScratchPostgres, startPostgres } from './postgres.ts';

/** The oldest and the newest PostgreSQL that we support, and the embedded one. */
export type DatabaseKind = 'PostgreSQL 16' | 'PostgreSQL 18' | 'PGlite';

export interface StoreContext {
  readonly kind: DatabaseKind;
  database: Database;
  store: Store;
  /** Of the scratch server; undefined on PGlite, which has one connection only. */
  server: ScratchPostgres | undefined;
  /** Of the database; undefined on PGlite. */
  url: string | undefined;
}

// A deadlock is looked for after 20 ms, not after a second; nothing here has to survive a power cut.
const settings = { fsync: 'off', deadlock_timeout: '20ms' };

async function start(context: StoreContext): Promise<void> {
  if (context.kind === 'PGlite') {
    context.database = await openPglite({ dataDir: 'memory://' });
  } else {
    context.server = await startPostgres({ major: context.kind === 'PostgreSQL 16' ? 16 : 18, settings });
    context.url = await context.server.createDatabase();
    context.database = openPostgres({ url: context.url });
  }
  await migrate(context.database);
  context.store = createStore(context.database);
  await context.store.ensurePartitions();
}

/** Starts the database before the tests of the file (or block) and ends it after them. */
export function useStore(kind: DatabaseKind): StoreContext {
  const context = { kind, server: undefined, url: undefined } as StoreContext;
  beforeAll(() => start(context));
  afterAll(async () => {
    await context.store?.close();
    await context.server?.stop();
  });
  return context;
}

/** Any SQL of the test's own, parameters written into the text. */
export function sql(context: Pick<StoreContext, 'database'>, text: string): Promise<Row[]> {
  return context.database.run({ name: '', text }, []);
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
  'lane_waits',
  'queues',
  'lane_counts',
  'lane_count_changes',
  'outbox',
  'schedules',
  'schedule_runs',
  'definition_limits',
  'rate_buckets',
  'fairness_keys',
  'submission_keys',
  'workflow_runs',
  'workflow_steps',
  'step_compensations',
  'step_cache',
  'workflow_news',
  'batches',
  'batch_counts',
  'event_waits',
  'sent_events',
  'job_dependencies',
  'dependency_news',
  'handler_waits',
  'assets',
];

/** For tests of what a statement sees of the whole database, such as the heads of all lanes. */
export async function emptyTables(context: StoreContext): Promise<void> {
  await context.database.script(`TRUNCATE ${tables.join(', ')}`);
}
