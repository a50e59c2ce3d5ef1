/** A file system of its own for a part of a database, in memory, which can be made full. Needs root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, type Stats, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../../../support/base/eventually.ts';

const BYTES = 8 * 2 ** 30;

export class SmallDisk {
  readonly folder: string;
  /** The server may not have ended yet. */
  readonly #unmounting = () => this.unmount(['--lazy']);

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Moves a database to a disk of its own. */
  static async of(databaseUrl: string): Promise<SmallDisk> {
    const url = new URL(databaseUrl);
    const name = url.pathname.slice(1);
    const client = new pg.Client({ connectionString: Object.assign(url, { pathname: 'postgres' }).href });
    await client.connect();
    try {
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      const disk = SmallDisk.mount(statSync(rows[0]?.data_directory ?? ''));
      await client.query(`CREATE TABLESPACE small LOCATION '${disk.folder}'`);
      await client.query(`ALTER DATABASE ${name} SET TABLESPACE small`);
      return disk;
    } finally {
      await client.end();
    }
  }

  /** For the user who runs the server. */
  static mount({ uid, gid }: Stats): SmallDisk {
    const folder = mkdtempSync(join(tmpdir(), 'muster-small-disk-'));
    const options = `size=${BYTES},mode=700,uid=${uid},gid=${gid}`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'muster-small-disk', folder]);
    const disk = new SmallDisk(folder);
    process.once('exit', disk.#unmounting);
    return disk;
  }

  /** From now on every byte of it is in use. */
  async fill(): Promise<void> {
    const fill = () => this.#resize(this.#used());
    // It refuses a size below what is in use at that moment.
    await eventually('the disk is full', () => succeeds(fill), { everyMs: 5 });
  }

  free(): void {
    this.#resize(BYTES);
  }

  megabytes(): number {
    return Math.round(this.#used() / 2 ** 20);
  }

  unmount(options: readonly string[] = []): void {
    process.off('exit', this.#unmounting);
    execFileSync('umount', [...options, this.folder]);
    rmdirSync(this.folder);
  }

  #used(): number {
    const { bsize, blocks, bfree } = statfsSync(this.folder);
    return (blocks - bfree) * bsize;
  }

  #resize(bytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${bytes}`, this.folder], { stdio: 'pipe' });
  }
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
