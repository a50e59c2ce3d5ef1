/**
 * The content of a database, in a form that can be compared. Without the counts of open jobs, which are folded from one
 * table into another meanwhile and follow from the runs, without the outbox and the inbox, which empty themselves, and
 * without what judges of roll-outs note.
 */
import type { Database, Statement } from '../../../../server/store/driver/database.ts';

const listTables = {
  name: '',
  text: `
SELECT relname AS name FROM pg_class
WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname NOT IN ('lane_counts', 'lane_count_changes', 'outbox', 'outbox_turns', 'job_inbox') ORDER BY relname`,
  row: { name: 'name' },
} satisfies Statement;

const judged = "to_jsonb(t) - 'check_time' - 'step_time'";

/** Row count and checksum of each table, by its name. */
export async function digestOf(database: Database): Promise<Record<string, string>> {
  const tables = (await database.run(listTables, [])).map((row) => row.name);
  const parts = tables.map((table) => {
    const row = `md5(${table === 'rollouts' ? `(${judged})` : 't'}::text)`;
    return `SELECT '${table}' AS name, count(*) || ' rows ' || md5(coalesce(string_agg(${row}, '' ORDER BY ${row}), '')) AS digest FROM ${table} t`;
  });
  // It has a name, so that PostgreSQL plans it once: that is a quarter of its time.
  const rows = await database.run(
    { name: 'digest', text: parts.join(' UNION ALL '), row: { name: 'text', digest: 'text' } },
    [],
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.digest]));
}
