/** Turns a list of columns into the `unnest(...)` that carries many rows in one statement, one array a column. */

/** Column name → PostgreSQL type, in the order of the parameters. */
export type Columns = Readonly<Record<string, string>>;

/** `unnest($1::uuid[], $2::int[]) AS alias (job_id, attempt)`; parameters count from `first`. */
export function inputTable(columns: Columns, alias: string, first = 1): string {
  const names = Object.keys(columns);
  const parameters = names.map((name, i) => `$${first + i}::${columns[name]}[]`);
  return `unnest(${parameters.join(', ')}) AS ${alias} (${names.join(', ')})`;
}
