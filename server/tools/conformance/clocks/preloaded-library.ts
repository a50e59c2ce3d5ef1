/** A library that is loaded into a process before all others, and a number that the process reads from a file. */
import { execFile } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILD_MS = 60_000;

export interface PreloadedLibraryParts {
  readonly source: URL;
  /** The environment variable that names the file. */
  readonly variable: string;
  /** What it does, for messages: "… can't …". */
  readonly what: string;
}

export class PreloadedLibrary {
  readonly #folder: string;
  readonly #variable: string;
  readonly #file: string;
  #flag: 'w' | 'r+' = 'w';
  /** Why it can't be used on this machine. */
  readonly lack: string | undefined;

  private constructor(folder: string, variable: string, file: string, lack: string | undefined) {
    this.#folder = folder;
    this.#variable = variable;
    this.#file = join(folder, file);
    this.lack = lack;
    this.set(0n);
  }

  /** Builds it. */
  static async make({ source, variable, what }: PreloadedLibraryParts): Promise<PreloadedLibrary> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-preloaded-'));
    // The process may be of another user.
    chmodSync(folder, 0o755);
    const lack = lackOf(folder, what) ?? (await build(fileURLToPath(source), libraryIn(folder), what));
    const library = new PreloadedLibrary(folder, variable, 'number', lack);
    process.on('exit', library.#remove);
    return library;
  }

  /** The same library with a number of its own, for another process. It is removed with this one. */
  another(name: string): PreloadedLibrary {
    return new PreloadedLibrary(this.#folder, this.#variable, `number-${name}`, this.lack);
  }

  /** For the process. */
  get environment(): Record<string, string> {
    if (this.lack !== undefined) return {};
    const { LD_PRELOAD } = process.env;
    const library = libraryIn(this.#folder);
    return { LD_PRELOAD: LD_PRELOAD ? `${library}:${LD_PRELOAD}` : library, [this.#variable]: this.#file };
  }

  set(number: bigint): void {
    // In place and in a single write: the process has mapped the file into memory.
    writeFileSync(this.#file, BigInt64Array.of(number), { flag: this.#flag });
    this.#flag = 'r+';
  }

  remove(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }

  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
}

const libraryIn = (folder: string) => join(folder, 'library.so');

function lackOf(folder: string, what: string): string | undefined {
  if (process.platform !== 'linux') return `${what} works only on Linux`;
  // LD_PRELOAD is a list with these separators.
  if (/[\s:]/.test(folder))
    return `${what} does not work from ${folder}: set TMPDIR to a path without spaces and colons`;
  return undefined;
}

/** Returns the reason if it could not be built. */
async function build(source: string, library: string, what: string): Promise<string | undefined> {
  const compiler = process.env.CC || 'cc';
  try {
    await promisify(execFile)(compiler, ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
      timeout: BUILD_MS,
    });
    return undefined;
  } catch (error) {
    const [first] = (error as Error).message.split('\n').slice(-2);
    return `${what} could not be built with ${compiler}: ${first}`;
  }
}
