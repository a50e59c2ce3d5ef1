/** Turns a list of columns into a table that carries many rows in one statement, one array per column. */

/** Column name → PostgreSQL type, in the order of the parameters. */
export type Columns = Readonly<Record<string, string>>;

/**
 * A sub-query for FROM: `(SELECT unnest($1::uuid[]) AS job_id, unnest($2::int[]) AS attempt) AS alias`. Parameters
 * count from `first`. PostgreSQL reads arrays in a SELECT list row by row. It would write arrays in FROM out first,
 * which doubles the cost of a row of many columns.
 */
export function inputTable(columns: Columns, alias: string, first = 1): string {
  const lists = Object.entries(columns).map(([name, type], i) => `unnest($${first + i}::${type}[]) AS ${name}`);
  return `(SELECT ${lists.join(', ')}) AS ${alias}`;
}
