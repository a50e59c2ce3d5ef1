/** Disks of the database that are full or slow. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { lackOf } from '../../../../workers/demo-polyglot/toolchains.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { c } from '../../../support/run/toolchains.ts';
import type { World } from '../world.ts';
import { timeOf } from './database.ts';
import { type Fault, needsRoot, require, seconds } from './fault.ts';

const DISK_FULL = '53100';
const NO_SPACE = /No space left on device/;
/** More files than the server has made in advance. */
const MAX_SWITCHES = 500;
/** The time for each fsync. */
const SLOW_SYNC_MS = [200, 1_000] as const;

const dataFull: Fault = {
  name: "PostgreSQL's disk full for longer than a lease",
  fits: ({ smallDisk }) => smallDisk,
  lack: needsRoot,
  async inflict(world) {
    const { disk, leaseMs } = world.run.deployment;
    if (!disk) throw new Error('the database has no disk of its own');
    await disk.fill();
    try {
      const code = await codeOfMuchData(world);
      await delay(1.3 * leaseMs);
      return require(code === DISK_FULL, `${disk.megabytes()} MB, and more data fails with ${code}`);
    } finally {
      disk.free();
    }
  },
};

async function codeOfMuchData(world: World): Promise<string | undefined> {
  const text = "CREATE TEMPORARY TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)";
  try {
    await timeOf(world, text);
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  }
}

const walFull: Fault = {
  name: "disk of PostgreSQL's WAL full for longer than a lease",
  fits: ({ smallDisk }) => smallDisk,
  lack: needsRoot,
  async inflict({ run }) {
    const { diskDatabase, databaseUrl, leaseMs } = run.deployment;
    if (!diskDatabase) throw new Error('the WAL has no disk of its own');
    const { walDisk, server } = diskDatabase;
    await walDisk.fill();
    const start = performance.now();
    try {
      await writeUntilFull(databaseUrl);
      await eventually('the server says that its disk is full', () => NO_SPACE.test(server.log()));
      await delay(1.3 * leaseMs);
    } finally {
      walDisk.free();
    }
    const how = (await diskDatabase.recover()) ? 'the server ended' : 'the server crashed';
    return `${walDisk.megabytes()} MB; ${how}, away for ${seconds(performance.now() - start)}`;
  },
};

/** Resolves when the server has ended the connection. */
async function writeUntilFull(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    for (let n = 0; n < MAX_SWITCHES; n++) {
      await client.query("SELECT pg_logical_emit_message(false, 'campaign', 'full')");
      await client.query('SELECT pg_switch_wal()');
    }
  } catch {
    return;
  } finally {
    await client.end().catch(() => {});
  }
  throw new Error(`the server has written ${MAX_SWITCHES} more files of its log to a full disk`);
}

const syncSlow: Fault = {
  name: 'each fsync of PostgreSQL slow, for two leases',
  lack: () => lackOf(c),
  async inflict(world) {
    const { run, dice } = world;
    const { slowSync, leaseMs } = run.deployment;
    if (!slowSync || slowSync.lack !== undefined) throw new Error(slowSync?.lack ?? 'it was not prepared');
    const ms = dice.int(...SLOW_SYNC_MS);
    slowSync.delay(ms);
    try {
      const commit = "SELECT pg_logical_emit_message(true, 'campaign', 'slow')";
      const [took] = await Promise.all([timeOf(world, commit), delay(2 * leaseMs), run.progress(10)]);
      return require(took >= ms, `${ms} ms more; a commit took ${Math.round(took)} ms`);
    } finally {
      slowSync.delay(0);
    }
  },
};

export const diskFaults: readonly Fault[] = [dataFull, walFull, syncSlow];
