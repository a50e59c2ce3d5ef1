/**
 * The columns of a row, named one by one: a statement that returns `*` of a table is refused (0A000) on each connection
 * that has prepared it, once a later release adds a column.
 */
import type { RowType } from '../driver/row-types.ts';

/** As a list for SELECT or RETURNING, of this table or alias. */
export function columnsOf(row: RowType, of?: string): string {
  const prefix = of === undefined ? '' : `${of}.`;
  return Object.keys(row)
    .map((column) => prefix + column)
    .join(', ');
}
