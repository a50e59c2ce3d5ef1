/** Plans of the statements for submission keys: index look-ups, however full the tables are. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../../server/store/driver/database.ts';
import { recordStatements } from '../../support/databases/database-taps.ts';
import { storeKinds } from '../../support/databases/databases.ts';
import { pathsOf } from '../../support/databases/plan-paths.ts';
import { createStore } from '../../support/store/create-store.ts';
import { emptyTables, type StoreContext, sql, useStore } from '../../support/store/store-context.ts';
import { bytes, makeLane } from '../../support/store/store-fixtures.ts';
import { debounced, ruledCall, throttled, unique } from '../../support/store/store-rules.ts';

/** Runs each statement once, so that its text is recorded: keys that are free, held, taken over, and of a duplicate. */
async function recordAll(context: StoreContext): Promise<Map<string, Statement>> {
  const { database, statements } = recordStatements(context.database);
  const store = createStore(database);
  const laneId = await makeLane({ ...context, database, store });
  const waits = { state: 'SCHEDULED', runTimeUs: 1_000_000 } as const;
  const rules = [unique('taken', { states: ['RUNNING'] }), unique('held'), throttled('throttled'), debounced('waits')];
  for (let n = 0; n < 2; n++) await store.submit([ruledCall(laneId, rules, waits)]);
  const keys = [{ index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' as const }];
  await store.submit([ruledCall(laneId, [unique('held')], { idempotencyKey: 'k' }, { keys })]);
  await store.clearExpired();
  return statements;
}

const keys = 'submission_keys by submission_keys_pkey';
const jobs = 'jobs_day by jobs_day_pkey';
const outcomes = 'job_outcomes_day by job_outcomes_day_pkey';

const pinned: Record<string, readonly string[]> = {
  insert_submission_keys: [],
  lock_submission_keys: [keys],
  read_submission_key_holders: [outcomes, 'job_runs by job_runs_pkey', jobs, keys],
  take_over_submission_keys: [keys],
  point_idempotency_keys: ['idempotency_keys by idempotency_keys_pkey'],
  clear_submission_keys: [jobs, 'submission_keys by Tid Range Scan'],
};

describe.each(storeKinds)('plans of submission keys on %s', (kind) => {
  const context = useStore(kind);
  let statements: Map<string, Statement>;

  beforeAll(async () => {
    statements = await recordAll(context);
  });

  async function plans(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const name of Object.keys(pinned)) found[name] = await pathsOf(context, statements.get(name) as Statement);
    return found;
  }

  const fill = (count: number) =>
    sql(
      context,
      `INSERT INTO submission_keys (key_hash, kind, job_id)
       SELECT sha256(n::text::bytea), 1, gen_random_uuid() FROM generate_series(1, ${count}) AS n`,
    );

  it.each([
    ['before the table is analysed', async () => void (await emptyTables(context))],
    ['when it is analysed as empty', async () => void (await sql(context, 'VACUUM ANALYZE'))],
    ['when it holds a few rows', async () => void (await recordAll(context))],
    ['when those rows are analysed', async () => void (await sql(context, 'VACUUM ANALYZE'))],
    ['when it has been filled', async () => void (await fill(50_000))],
    ['when the filling is analysed', async () => void (await sql(context, 'VACUUM ANALYZE'))],
    ['when it was full and is almost empty', async () => void (await emptied())],
  ])('use index look-ups %s', async (_, prepare) => {
    await prepare();
    expect(await plans()).toEqual(pinned);
  });

  async function emptied(): Promise<void> {
    await sql(
      context,
      'DELETE FROM submission_keys WHERE key_hash <> (SELECT key_hash FROM submission_keys ORDER BY key_hash LIMIT 1)',
    );
    await sql(context, 'VACUUM ANALYZE');
  }
});
