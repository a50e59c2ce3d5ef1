/** The plan of each hot statement: index look-ups, the same on empty and on full tables. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../../server/store/driver/database.ts';
import { storeKinds } from '../../support/databases/databases.ts';
import { pathsOf } from '../../support/databases/plan-paths.ts';
import { coreOf } from '../../support/run/cases.ts';
import { recordPlanned } from '../../support/store/planned-statements.ts';
import { emptyTables, type StoreContext, sql, useStore } from '../../support/store/store-context.ts';
import { fillTables } from '../../support/store/store-load.ts';

import { pinned } from './pinned-plans.ts';

const analyze = (context: StoreContext) => sql(context, 'VACUUM ANALYZE');

async function leaveOneRow(context: StoreContext): Promise<void> {
  for (const [table, key] of [
    ['job_runs', 'job_id'],
    ['sessions', 'session_id'],
  ]) {
    await sql(
      context,
      `DELETE FROM ${table} WHERE ${key} <> (SELECT ${key} FROM ${table} ORDER BY ${key} DESC LIMIT 1)`,
    );
  }
}

type Step = (context: StoreContext) => Promise<unknown>;

/** The steps that fill the tables; after each one the plans must be the pinned ones. */
const fillings: readonly (readonly [title: string, steps: readonly Step[]])[] = [
  ['are look-ups by index before anything is known of the tables', [emptyTables]],
  ['are the same when the tables are known to be empty', [analyze]],
  ['are the same when the tables hold a few rows', [(context) => recordPlanned(context).then(() => analyze(context))]],
  ['are the same when the tables are full', [fillTables, analyze]],
  [
    'are the same when the tables were full and hold next to nothing',
    [(context) => leaveOneRow(context).then(() => analyze(context))],
  ],
];

describe.each(storeKinds)('query plans on %s', (kind) => {
  // A VACUUM by time in place of the test's own would change plans of equal cost.
  const context = useStore(kind, { vacuumJobs: Number.POSITIVE_INFINITY, vacuumWorkMs: Number.POSITIVE_INFINITY });
  let statements: Map<string, Statement>;

  beforeAll(async () => {
    statements = await recordPlanned(context);
  });

  async function plans(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const name of Object.keys(pinned)) {
      const statement = statements.get(name);
      if (!statement) throw new Error(`${name} was never run`);
      found[name] = await pathsOf(context, statement);
    }
    return found;
  }

  it.each(coreOf(fillings, 1))('%s', async (_title, steps) => {
    for (const step of steps) {
      await step(context);
      expect(await plans()).toEqual(pinned);
    }
  });
});
