/**
 * Writes the file of an export: under another name until it is complete and on the disk, readable by its owner only.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ExportTrailer, isCompressed } from './export-format.ts';
import { TransferRefusal } from './refusal.ts';

const compress = promisify(gzip);

export class ExportWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #rows = 0;

  private constructor(path: string, partial: string, file: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
  }

  /** @throws Error if the file exists or can't be created. */
  static async create(path: string): Promise<ExportWriter> {
    if (existsSync(path)) throw new TransferRefusal(`${path} already exists: give another name, or move it away first`);
    const partial = `${path}.partial`;
    await rm(partial, { force: true });
    return new ExportWriter(path, partial, await open(partial, 'wx', 0o600));
  }

  async writeLine(value: object): Promise<void> {
    await this.#write(`${JSON.stringify(value)}\n`);
  }

  /** Lines that are already JSON, one per row. */
  async writeRows(lines: readonly string[]): Promise<void> {
    this.#rows += lines.length;
    await this.#write(`${lines.join('\n')}\n`);
  }

  /** Writes the trailer, waits until everything is on the disk, and renames the file. */
  async finish(): Promise<void> {
    const trailer: ExportTrailer = { end: true, rows: this.#rows, sha256: this.#hash.copy().digest('hex') };
    await this.writeLine(trailer);
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#partial, this.#path);
    await syncFolder(dirname(this.#path));
  }

  /** Deletes the partial file. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#partial, { force: true });
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#hash.update(bytes);
    // A compressed file may consist of several members, one after the other.
    await this.#file.writeFile(isCompressed(this.#path) ? await compress(bytes) : bytes);
  }
}

/** Without this a power failure could lose the file's name, and with it the file. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
