/** A wall clock for the worker that a case can change: a library that is loaded into the worker before all others. */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('wall-clock.c', import.meta.url));
const NANOSECONDS = 1_000_000;
const BUILD_MS = 60_000;

export class WallClock {
  readonly #folder: string;
  #flag: 'w' | 'r+' = 'w';
  /** Why the worker's clock can't be changed on this machine. */
  readonly lack: string | undefined;

  private constructor(folder: string, lack: string | undefined) {
    this.#folder = folder;
    this.lack = lack;
    this.set(0);
    process.on('exit', this.#remove);
  }

  static async make(): Promise<WallClock> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-wall-clock-'));
    return new WallClock(folder, lackOf(folder) ?? (await build(libraryIn(folder))));
  }

  /** For the worker's process. */
  get environment(): Record<string, string> {
    if (this.lack !== undefined) return {};
    const { LD_PRELOAD } = process.env;
    const library = libraryIn(this.#folder);
    return { LD_PRELOAD: LD_PRELOAD ? `${library}:${LD_PRELOAD}` : library, MUSTER_WALL_CLOCK: fileIn(this.#folder) };
  }

  /** From now on the worker's clock is ahead of the machine's by this. */
  set(aheadMs: number): void {
    // In place and in a single write: the worker has mapped the file into memory.
    writeFileSync(fileIn(this.#folder), BigInt64Array.of(BigInt(aheadMs * NANOSECONDS)), { flag: this.#flag });
    this.#flag = 'r+';
  }

  remove(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }

  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
}

const libraryIn = (folder: string) => join(folder, 'wall-clock.so');
const fileIn = (folder: string) => join(folder, 'ahead');

function lackOf(folder: string): string | undefined {
  if (process.platform !== 'linux') return 'only on Linux the kit can move the wall clock of a worker';
  // LD_PRELOAD is a list with these separators.
  if (/[\s:]/.test(folder))
    return `the wall clock of a worker can't be moved from ${folder}: set TMPDIR to a path without spaces and colons`;
  return undefined;
}

/** Returns the reason if it could not be built. */
async function build(library: string): Promise<string | undefined> {
  const compiler = process.env.CC || 'cc';
  try {
    await promisify(execFile)(compiler, ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'], {
      timeout: BUILD_MS,
    });
    return undefined;
  } catch (error) {
    const [first] = (error as Error).message.split('\n').slice(-2);
    return `what moves the wall clock of a worker could not be built with ${compiler}: ${first}`;
  }
}
