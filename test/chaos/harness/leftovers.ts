/** Things that a run must not leave behind: processes, listening ports, files. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { survivors } from './child.ts';
import { listenersOf } from './network/sockets.ts';

export class Leftovers {
  readonly #folder: string;
  readonly #before: string | undefined;
  readonly #ports = new Set<number>();

  /** From now on every scratch folder of this process and of its children is in one folder of the run. */
  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'muster-chaos-'));
    // PostgreSQL runs as another user, who must be able to reach its own folder.
    chmodSync(this.#folder, 0o711);
    this.#before = process.env.TMPDIR;
    process.env.TMPDIR = this.#folder;
  }

  watchPort(port: number | undefined): void {
    if (port !== undefined) this.#ports.add(port);
  }

  /** Returns what is left, and removes the files. */
  find(): string[] {
    const files = readdirSync(this.#folder).map((name) => `file ${name}`);
    const ports = listenersOf([...this.#ports], this.#folder);
    if (this.#before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = this.#before;
    rmSync(this.#folder, { recursive: true, force: true });
    return [...survivors().map((name) => `process ${name}`), ...files, ...ports.map((port) => `port ${port}`)];
  }
}
