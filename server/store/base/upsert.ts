/** An upsert that writes whole rows. */
import { inputTable } from './input-table.ts';

/** `columns` has the types, in the order of the arrays. */
export function upsert(table: string, columns: Readonly<Record<string, string>>, key: readonly string[]): string {
  const all = Object.keys(columns);
  const set = all.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`);
  const names = all.join(', ');
  return `
INSERT INTO ${table} (${names})
SELECT ${names} FROM ${inputTable(columns, 'i')} ORDER BY ${key.join(', ')}
ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set.join(', ')}`;
}
