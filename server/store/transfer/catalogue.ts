/** Tables to export, from the database's own catalogue: a table that a later release adds can't be forgotten. */
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import type { ExportedColumn, ExportedSequence } from './export-format.ts';

export interface CataloguedTable {
  readonly name: string;
  /** In the order of their creation, without columns that the database computes. */
  readonly columns: readonly ExportedColumn[];
  /** Columns of the primary key; empty without one. */
  readonly key: readonly string[];
}

/** The applied migrations are in the header, and an import applies them. */
const migrations = 'schema_migrations';

// Partitions are read and written through their table.
const listTables = {
  name: '',
  text: `
SELECT c.relname AS name,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
       (SELECT json_agg(a.attname ORDER BY k.place)
        FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_class c
WHERE c.relnamespace = to_regnamespace('muster') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> '${migrations}'
ORDER BY c.relname`,
  row: { name: 'name', columns: 'json', key: 'json?' },
} satisfies Statement;

const listReferences = {
  name: '',
  text: `
SELECT DISTINCT child.relname AS child, parent.relname AS parent
FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = to_regnamespace('muster') AND k.conrelid <> k.confrelid`,
  row: { child: 'name', parent: 'name' },
} satisfies Statement;

/** Every table, referenced tables first. */
export async function readTables(session: Session): Promise<CataloguedTable[]> {
  const tables = (await session.run(listTables, [])).map(
    (row): CataloguedTable => ({
      name: row.name,
      columns: row.columns as ExportedColumn[],
      key: (row.key ?? []) as string[],
    }),
  );
  return referredFirst(tables, await session.run(listReferences, []));
}

function referredFirst(
  tables: readonly CataloguedTable[],
  references: readonly RowOf<typeof listReferences>[],
): CataloguedTable[] {
  const ordered = new Set<CataloguedTable>();
  const visit = (table: CataloguedTable, above: readonly CataloguedTable[]) => {
    // In a cycle no order is right; the database then reports the broken reference.
    if (ordered.has(table) || above.includes(table)) return;
    const parents = references.filter(({ child }) => child === table.name).map(({ parent }) => parent);
    for (const parent of tables) if (parents.includes(parent.name)) visit(parent, [...above, table]);
    ordered.add(table);
  };
  for (const table of tables) visit(table, []);
  return [...ordered];
}

const listSequences = {
  name: '',
  text: `
SELECT sequencename AS name, last_value FROM pg_sequences
WHERE schemaname = 'muster' AND last_value IS NOT NULL ORDER BY sequencename`,
  row: { name: 'name', last_value: 'int8' },
} satisfies Statement;

/** Sequences that have been used, with their last number. */
export async function readSequences(session: Session): Promise<ExportedSequence[]> {
  const rows = await session.run(listSequences, []);
  return rows.map((row) => ({ name: row.name, lastValue: row.last_value }));
}

const listDays = {
  name: '',
  text: `
SELECT DISTINCT right(relname, 8) AS day FROM pg_class
WHERE relnamespace = to_regnamespace('muster') AND relispartition AND relkind = 'r' AND relname ~ '_\\d{8}$' ORDER BY 1`,
  row: { day: 'text' },
} satisfies Statement;

/** Days that have partitions, such as `20260301`. */
export async function readDays(session: Session): Promise<string[]> {
  return (await session.run(listDays, [])).map((row) => row.day);
}

const hasSchema = {
  name: '',
  text: "SELECT to_regclass('muster.schema_migrations') IS NOT NULL AS there",
  row: { there: 'bool' },
} satisfies Statement;
const readNewest = {
  name: '',
  text: 'SELECT max(version) AS version FROM schema_migrations',
  row: { version: 'int4?' },
} satisfies Statement;

/** The newest applied migration. Undefined: the database holds no deployment. */
export async function readSchemaVersion(session: Session): Promise<number | undefined> {
  const [found] = await session.run(hasSchema, []);
  if (!found?.there) return undefined;
  return (await session.run(readNewest, []))[0]?.version ?? undefined;
}

/** A quoted SQL identifier. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
