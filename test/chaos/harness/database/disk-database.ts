/** A PostgreSQL whose log of changes (WAL) has a disk of its own. Needs root. */
import { execFileSync } from 'node:child_process';
import { rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../../../support/base/eventually.ts';
import {
  copyDataFolder,
  type ServerOnFolder,
  type ServerOptions,
  startOnFolder,
} from '../../../support/databases/postgres.ts';
import { SmallDisk } from './small-disk.ts';

const MAJOR = 18;
const RECOVERY_MS = 60_000;
const MAX_WAL = '512MB';

export class DiskDatabase {
  readonly walDisk: SmallDisk;
  readonly #data: string;
  readonly #options: ServerOptions;
  #server: ServerOnFolder;

  private constructor(walDisk: SmallDisk, data: string, options: ServerOptions, server: ServerOnFolder) {
    this.walDisk = walDisk;
    this.#data = data;
    this.#options = options;
    this.#server = server;
  }

  static async start({ settings, environment }: ServerOptions): Promise<DiskDatabase> {
    // The disk is memory.
    const options = { environment, settings: { ...settings, max_wal_size: MAX_WAL } };
    const data = await copyDataFolder(MAJOR);
    const walDisk = SmallDisk.mount(statSync(data));
    const wal = join(data, 'pg_wal');
    execFileSync('cp', ['-a', `${wal}/.`, walDisk.folder]);
    rmSync(wal, { recursive: true });
    symlinkSync(walDisk.folder, wal);
    return new DiskDatabase(walDisk, data, options, await startOnFolder(MAJOR, data, options));
  }

  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string> {
    return this.#server.createDatabase();
  }

  get server(): ServerOnFolder {
    return this.#server;
  }

  /** Waits until it answers, and starts it again if it has ended, as its supervisor does. Resolves with whether it had. */
  async recover(): Promise<boolean> {
    const before = this.#server;
    const answers = async () => {
      if (this.#server.hasEnded()) await this.#restart();
      const client = new pg.Client({ connectionString: this.#server.url });
      client.on('error', () => {});
      await client.connect();
      await client.end();
      return true;
    };
    await eventually('the database has recovered', answers, { timeoutMs: RECOVERY_MS, everyMs: 100 });
    return this.#server !== before;
  }

  /** At the same address. */
  async #restart(): Promise<void> {
    await this.#server.end('SIGQUIT');
    this.#server = await startOnFolder(MAJOR, this.#data, this.#options, this.#server.port);
  }

  async stop(): Promise<void> {
    // One that is in the middle of a recovery may ignore the others.
    await this.#server.end('SIGQUIT');
    rmSync(this.#data, { recursive: true, force: true });
    this.walDisk.unmount();
  }
}
