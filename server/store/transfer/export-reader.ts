/** Reads the file of an export in bounded pages, and checks at its end that it was complete. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  DamagedExport,
  type ExportHeader,
  isCompressed,
  PAGE_BYTES,
  PAGE_ROWS,
  parseHeader,
  parseTableLine,
  parseTrailer,
} from './export-format.ts';

/** Rows of one table, each as the JSON text of an array. */
export interface ExportPage {
  readonly header: ExportHeader;
  readonly table: string;
  readonly rows: readonly string[];
}

/** No row is this long: a file with a longer line is no export. */
const LONGEST_LINE = 64 << 20;
const NEWLINE = 10;
const ROW_BEGINS = 91; // '['

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!isCompressed(path)) {
    yield* file;
    return;
  }
  const plain = createGunzip();
  // The reader of the bytes gets the error.
  void pipeline(file, plain).catch(() => {});
  try {
    yield* plain;
  } catch (error) {
    throw new DamagedExport(path, (error as Error).message);
  }
}

/** Each line without its end. Bytes after the last end of line are no line. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytesOf(path)) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const piece = chunk.subarray(from, at);
      yield rest.length > 0 ? Buffer.concat([...rest, piece]) : piece;
      rest = [];
      length = 0;
      from = at + 1;
    }
    rest.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw new DamagedExport(path, `a line is longer than ${LONGEST_LINE} bytes`);
  }
  if (length > 0) throw new DamagedExport(path, 'its last line is incomplete');
}

/** Compares the lines read so far with the header. */
class Reading {
  readonly header: ExportHeader;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #table = -1;
  #tableRows = 0;
  #rows = 0;
  #ended = false;
  #page: string[] = [];
  #pageBytes = 0;

  constructor(path: string, first: Buffer) {
    this.#path = path;
    this.header = parseHeader(path, first.toString());
    this.#hash.update(first).update('\n');
  }

  /** Takes the next line. Returns a page when one is full or its table has ended. */
  take(line: Buffer): ExportPage | undefined {
    if (this.#ended) throw this.#damage('it continues after its end');
    const page = line[0] === ROW_BEGINS ? this.#takeRow(line) : this.#takeOther(line.toString());
    this.#hash.update(line).update('\n');
    return page;
  }

  end(): void {
    if (!this.#ended) throw this.#damage('its end is missing');
  }

  #takeRow(line: Buffer): ExportPage | undefined {
    this.#rows++;
    this.#tableRows++;
    this.#page.push(line.toString());
    this.#pageBytes += line.length;
    return this.#page.length >= PAGE_ROWS || this.#pageBytes >= PAGE_BYTES ? this.#takePage() : undefined;
  }

  #takeOther(line: string): ExportPage | undefined {
    const page = this.#page.length > 0 ? this.#takePage() : undefined;
    const table = parseTableLine(line);
    if (table === undefined) this.#takeTrailer(line);
    else this.#beginTable(table);
    return page;
  }

  #takePage(): ExportPage {
    const table = this.header.tables[this.#table];
    if (!table) throw this.#damage('it has rows that belong to no table');
    const page = { header: this.header, table: table.name, rows: this.#page };
    this.#page = [];
    this.#pageBytes = 0;
    return page;
  }

  #beginTable(name: string): void {
    this.#endTable();
    const next = this.header.tables[++this.#table];
    if (next?.name !== name) throw this.#damage(`it has "${name}" where "${next?.name ?? 'its end'}" should be`);
  }

  #endTable(): void {
    const table = this.header.tables[this.#table];
    if (table && table.rows !== this.#tableRows) {
      throw this.#damage(`"${table.name}" has ${this.#tableRows} rows of ${table.rows}`);
    }
    this.#tableRows = 0;
  }

  #takeTrailer(line: string): void {
    const trailer = parseTrailer(line);
    if (!trailer) throw this.#damage(`it has an unknown line: ${line.slice(0, 60)}`);
    this.#endTable();
    const missing = this.header.tables[this.#table + 1];
    if (missing) throw this.#damage(`the rows of "${missing.name}" are missing`);
    if (trailer.rows !== this.#rows) throw this.#damage(`it has ${this.#rows} rows of ${trailer.rows}`);
    if (trailer.sha256 !== this.#hash.copy().digest('hex')) throw this.#damage('its checksum is wrong');
    this.#ended = true;
  }

  #damage(problem: string): DamagedExport {
    return new DamagedExport(this.#path, problem);
  }
}

/**
 * Every row, in pages.
 * @throws DamagedExport if a count or the checksum is wrong: only at the end, so a caller that uses pages before that
 * trusts the file.
 */
export async function* readExport(path: string): AsyncGenerator<ExportPage> {
  let reading: Reading | undefined;
  for await (const line of linesOf(path)) {
    if (!reading) {
      reading = new Reading(path, line);
      continue;
    }
    const page = reading.take(line);
    if (page) yield page;
  }
  (reading ?? new Reading(path, Buffer.alloc(0))).end();
}

/** Reads and checks the whole file. Returns its header. */
export async function checkExport(path: string, onRows: (rows: number, of: number) => void): Promise<ExportHeader> {
  const header = await readHeader(path);
  const of = header.tables.reduce((sum, table) => sum + table.rows, 0);
  let rows = 0;
  for await (const page of readExport(path)) {
    rows += page.rows.length;
    onRows(rows, of);
  }
  return header;
}

async function readHeader(path: string): Promise<ExportHeader> {
  for await (const line of linesOf(path)) return parseHeader(path, line.toString());
  return parseHeader(path, '');
}
