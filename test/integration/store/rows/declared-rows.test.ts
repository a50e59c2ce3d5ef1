/** The row that each statement declares is the row that PostgreSQL describes. */

import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Statement } from '../../../../server/store/driver/database.ts';
import { sources } from '../../../../server/store/jobs/read/job-sources.ts';
import { leftoverTables } from '../../../../server/store/upkeep/leftovers.ts';
import { describeRows, withoutNulls } from '../../../support/databases/declared-rows.ts';
import { recordEvery } from '../../../support/store/every-statement.ts';
import { sql, useStore } from '../../../support/store/store-context.ts';

const root = new URL('../../../../server/store/', import.meta.url).pathname;

/** Names of statements as the sources have them: those of literals, and those that functions are given or put together. */
function namesInSources(): Set<string> {
  const literal = /\{\s*name: '([a-z_]+)',\s*(?:endsJobs: true,\s*)?text:/g;
  const given = /[a-z]Statement\(\s*'([a-z_]+)',/g;
  const texts = globSync('**/*.ts', { cwd: root }).map((path) => readFileSync(root + path, 'utf8'));
  const found = texts.flatMap((text) =>
    [literal, given].flatMap((form) => Array.from(text.matchAll(form), (m) => m[1])),
  );
  const pages = Object.keys(sources).map((source) => `list_jobs_${source}`);
  const clearings = leftoverTables.map((table) => `clear_${table}`);
  return new Set([...found.filter((name) => name !== undefined), ...pages, ...clearings, 'expire_default_jobs']);
}

describe('a statement of the store', () => {
  const context = useStore('PostgreSQL 18');
  let statements: Statement[];

  beforeAll(async () => {
    const recorded = await recordEvery(context);
    statements = [...recorded.values()].filter(({ name }) => name !== '').sort((a, b) => (a.name < b.name ? -1 : 1));
  });

  it('is run by this test', () => {
    expect(statements.map(({ name }) => name)).toEqual([...namesInSources()].sort());
  });

  it('declares the columns that PostgreSQL describes, with their types', async () => {
    const declared = Object.fromEntries(statements.map(({ name, row }) => [name, withoutNulls(row)]));
    expect(declared).toEqual(await describeRows(context.url as string, statements));
  });

  // Otherwise PostgreSQL would refuse it on every connection that has prepared it, as soon as a later release migrates.
  it('returns the same columns when each table has more', async () => {
    await sql(
      context,
      `DO $$ DECLARE name text; BEGIN
         FOR name IN SELECT oid::regclass FROM pg_class
           WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
         LOOP EXECUTE format('ALTER TABLE %s ADD COLUMN of_a_later_release text', name); END LOOP;
       END $$`,
    );
    const declared = Object.fromEntries(statements.map(({ name, row }) => [name, withoutNulls(row)]));
    expect(await describeRows(context.url as string, statements)).toEqual(declared);
  });
});
