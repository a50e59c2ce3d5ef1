/** Turns a list of columns into the table that carries many rows in one statement, one array a column. */

/** Column name → PostgreSQL type, in the order of the parameters. */
export type Columns = Readonly<Record<string, string>>;

/**
 * A sub-query for FROM: `(SELECT unnest($1::uuid[]) AS job_id, unnest($2::int[]) AS attempt) AS alias`; parameters count
 * from `first`. In a SELECT list the arrays are read as the rows are asked for; in FROM each would first be written out,
 * which makes a row of many columns twice as dear.
 */
export function inputTable(columns: Columns, alias: string, first = 1): string {
  const lists = Object.entries(columns).map(([name, type], i) => `unnest($${first + i}::${type}[]) AS ${name}`);
  return `(SELECT ${lists.join(', ')}) AS ${alias}`;
}
