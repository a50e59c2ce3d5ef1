/** Exports a whole deployment to a file: every table, at one moment, in pages of bounded size. */
import type { Database, Session, Statement } from '../driver/database.ts';
import { type CataloguedTable, quoted, readDays, readSchemaVersion, readSequences, readTables } from './catalogue.ts';
import { type ExportHeader, FORMAT, FORMAT_VERSION, PAGE_BYTES, PAGE_ROWS } from './export-format.ts';
import { ExportWriter } from './export-writer.ts';
import { holdSchema } from './in-use.ts';
import { TransferRefusal } from './refusal.ts';
import { transferSettings } from './settings.ts';

export interface TransferProgress {
  /** Rows of all tables so far, and the total. */
  readonly rows: number;
  readonly of: number;
  /** The current part, such as "jobs". */
  readonly part: string;
}

export interface ExportOptions {
  /** Release of Muster that writes the file. */
  readonly release: string;
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Rows with the largest payloads are 1 MiB long as text: a page of this many is small enough. */
const MIN_ROWS = 8;

interface SizedTable extends CataloguedTable {
  readonly rows: number;
  /** Approximate length of its longest row. */
  readonly width: number;
}

/** Approximate length of a value as text, without unpacking it. */
function widthOf({ name, type }: CataloguedTable['columns'][number]): string {
  if (type === 'bytea') return `coalesce(2 * octet_length(${quoted(name)}), 0)`;
  if (type === 'text') return `coalesce(octet_length(${quoted(name)}), 0)`;
  return `coalesce(3 * pg_column_size(${quoted(name)}), 0)`;
}

async function measure(session: Session, table: CataloguedTable): Promise<SizedTable> {
  const width = table.columns.map(widthOf).join(' + ');
  const text = `SELECT count(*) AS rows, coalesce(max(${width}), 0)::float8 AS width FROM ${quoted(table.name)}`;
  const [row] = await session.run({ name: '', text, row: { rows: 'int8', width: 'float8' } }, []);
  return { ...table, rows: row?.rows ?? 0, width: row?.width ?? 0 };
}

const readTime = { name: '', text: 'SELECT muster_now() AS now', row: { now: 'timestamptz' } } satisfies Statement;

async function headerOf(session: Session, tables: readonly SizedTable[], release: string): Promise<ExportHeader> {
  const now = (await session.run(readTime, []))[0]?.now as number;
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    release,
    schemaVersion: (await readSchemaVersion(session)) as number,
    exportTime: new Date(now / 1000).toISOString(),
    tables: tables.map(({ name, columns, rows }) => ({ name, columns, rows })),
    sequences: await readSequences(session),
    days: await readDays(session),
  };
}

/** Rows in the order of the key, so that an import appends to the indexes. */
function cursorOf({ name, columns, key }: CataloguedTable): string {
  const values = columns.map((column) => `${quoted(column.name)}::text`).join(', ');
  const order = key.length > 0 ? ` ORDER BY ${key.map(quoted).join(', ')}` : '';
  return `DECLARE exported NO SCROLL CURSOR FOR SELECT array_to_json(ARRAY[${values}])::text AS line FROM ${quoted(name)}${order}`;
}

async function* pagesOf(session: Session, table: SizedTable): AsyncGenerator<string[]> {
  const rows = Math.max(MIN_ROWS, Math.min(PAGE_ROWS, Math.floor((2 * PAGE_BYTES) / (table.width + 1))));
  await session.run({ name: '', text: cursorOf(table) }, []);
  for (;;) {
    const page = await session.run({ name: '', text: `FETCH ${rows} FROM exported`, row: { line: 'text' } }, []);
    if (page.length > 0) yield page.map((row) => row.line);
    if (page.length < rows) break;
  }
  await session.run({ name: '', text: 'CLOSE exported' }, []);
}

/** Everything in one snapshot. Replicas can't start meanwhile. */
async function copyOut(session: Session, writer: ExportWriter, options: ExportOptions): Promise<ExportHeader> {
  await session.run({ name: '', text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY' }, []);
  await transferSettings(session);
  await holdSchema(session, 'shared');
  const tables: SizedTable[] = [];
  for (const table of await readTables(session)) tables.push(await measure(session, table));
  const of = tables.reduce((sum, table) => sum + table.rows, 0);
  const header = await headerOf(session, tables, options.release);
  await writer.writeLine(header);
  let rows = 0;
  for (const table of tables) {
    await writer.writeLine({ table: table.name });
    for await (const page of pagesOf(session, table)) {
      await writer.writeRows(page);
      rows += page.length;
      options.onProgress?.({ rows, of, part: table.name });
    }
  }
  return header;
}

/**
 * Exports the deployment in `database` into a new file.
 * @throws Error that states the obstacle; then there is no file.
 */
export async function exportDeployment(
  database: Database,
  path: string,
  options: ExportOptions,
): Promise<ExportHeader> {
  if ((await readSchemaVersion(database)) === undefined) {
    throw new TransferRefusal('there is no deployment of Muster to export: no schema "muster" in this database');
  }
  const writer = await ExportWriter.create(path);
  try {
    const header = await database.transaction((session) => copyOut(session, writer, options));
    await writer.finish();
    return header;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
