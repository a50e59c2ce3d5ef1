/**
 * The file of an export: JSON, a line each.
 *
 *     {"format":"muster-export","formatVersion":1,"release":"0.1.0","schemaVersion":9, … }   the header
 *     {"table":"job_definitions"}                                                            what the next rows are of
 *     ["default","add","1","\\x5f0c…",…]                                                     a row
 *     …
 *     {"end":true,"rows":12345,"sha256":"…"}                                                 the trailer
 *
 * Each table of the header comes once, in the header's order. A row has the values of the table's columns in the text form
 * that PostgreSQL writes and reads (bytes as `\x` and hexadecimal digits), or null. The checksum is of every byte before
 * the trailer. A file whose name ends in `.gz` is all that, compressed.
 */
import { TransferRefusal } from './refusal.ts';

export interface ExportedColumn {
  readonly name: string;
  /** PostgreSQL's name of the type. */
  readonly type: string;
}

export interface ExportedTable {
  readonly name: string;
  readonly columns: readonly ExportedColumn[];
  readonly rows: number;
}

export interface ExportedSequence {
  readonly name: string;
  readonly lastValue: number;
}

export interface ExportHeader {
  readonly format: 'muster-export';
  readonly formatVersion: number;
  /** Release of Muster that wrote the file. */
  readonly release: string;
  /** The newest migration of the deployment. */
  readonly schemaVersion: number;
  /** By the database's clock, RFC 3339. */
  readonly exportTime: string;
  readonly tables: readonly ExportedTable[];
  readonly sequences: readonly ExportedSequence[];
  /** Days that have partitions, such as `20260301`. */
  readonly days: readonly string[];
}

export interface ExportTrailer {
  readonly end: true;
  readonly rows: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export const FORMAT = 'muster-export';
export const FORMAT_VERSION = 1;

/** Max rows and bytes of a page, which is read, sent and stored at once. */
export const PAGE_ROWS = 1_000;
export const PAGE_BYTES = 4 << 20;

export function isCompressed(path: string): boolean {
  return path.endsWith('.gz');
}

/** The file was not written by an export, or has changed since. */
export class DamagedExport extends TransferRefusal {
  constructor(path: string, problem: string) {
    super(`${path} is damaged or was cut short: ${problem}. Nothing was changed; export anew, or copy the file again`);
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function allAre<T>(value: unknown, fits: (item: T) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item !== 'undefined' && item !== null && fits(item as T));
}

function isHeader(value: unknown): value is ExportHeader {
  const header = value as ExportHeader | null;
  return (
    header?.format === FORMAT &&
    isText(header.release) &&
    isCount(header.schemaVersion) &&
    isText(header.exportTime) &&
    allAre<ExportedTable>(
      header.tables,
      (table) =>
        isText(table.name) &&
        isCount(table.rows) &&
        allAre<ExportedColumn>(table.columns, (column) => isText(column.name) && isText(column.type)),
    ) &&
    allAre<ExportedSequence>(header.sequences, (one) => isText(one.name) && isCount(one.lastValue)) &&
    allAre<string>(header.days, (day) => /^\d{8}$/.test(day))
  );
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** @throws Error if the file is no export, or one that this release can't read. */
export function parseHeader(path: string, line: string): ExportHeader {
  const value = parsed(line) as Partial<ExportHeader> | undefined;
  if (value?.format !== FORMAT) {
    throw new TransferRefusal(`${path} is no export of Muster: name a file that "muster export" has written`);
  }
  if (value.formatVersion !== FORMAT_VERSION) {
    throw new TransferRefusal(
      `${path} has format ${value.formatVersion}, and this release reads format ${FORMAT_VERSION}: ` +
        `import it with release ${value.release} or newer`,
    );
  }
  if (!isHeader(value)) throw new DamagedExport(path, 'its first line is not a whole header');
  return value;
}

export function parseTrailer(line: string): ExportTrailer | undefined {
  const value = parsed(line) as ExportTrailer | undefined;
  return value?.end === true && isCount(value.rows) && isText(value.sha256) ? value : undefined;
}

/** The table of the next rows; undefined for any other line. */
export function parseTableLine(line: string): string | undefined {
  const value = parsed(line) as { table?: unknown } | undefined;
  return isText(value?.table) ? value.table : undefined;
}
