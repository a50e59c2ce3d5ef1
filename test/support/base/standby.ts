/**
 * A PostgreSQL on loopback, and standbys that follow it by streaming replication:
 *
 *     const primary = await startPrimary();
 *     const standby = await primary.makeStandby('async');
 *     await standby.catchUp(); // it has what is committed
 *     await standby.detach(); // it misses the later commits: a lost tail
 *     await primary.kill();
 *     await standby.promote(); // takes writes, on another timeline
 *     await Promise.all([primary.stop(), standby.stop()]);
 *
 * Each has a port of its own: an address that moves is a TcpProxy before them. A promoted standby is a primary, from
 * which other standbys are made.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import {
  chownLike,
  copyDataFolder,
  copyToFolder,
  type PostgresMajor,
  type ServerOnFolder,
  type ServerOptions,
  startOnFolder,
  writeServerFile,
} from '../databases/postgres.ts';
import { eventually } from './eventually.ts';

/** Whether commits of the primary wait for the standby. They wait for ever once that has ended. */
export type Replication = 'sync' | 'async';

export interface Primary {
  /** Of its database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Creates an empty database and returns its URL. */
  createDatabase(name?: string): Promise<string>;
  /** Copies it while it runs. Resolves when the copy follows it. */
  makeStandby(replication: Replication): Promise<Standby>;
  /** A base backup with the log that it needs, while it runs. */
  makeBackup(): Promise<Backup>;
  /** Ends it at once, without a last word to its standbys. */
  kill(): Promise<void>;
  /** Ends it and removes its files; also after `kill`. */
  stop(): Promise<void>;
}

export interface Standby extends Primary {
  /** Resolves when it has everything that its primary had committed at the call. */
  catchUp(): Promise<void>;
  /** Follows no longer. */
  detach(): Promise<void>;
  /** Makes it a primary. Resolves when it takes writes. */
  promote(): Promise<void>;
}

export interface Backup {
  /** Starts a server with what was there at the end of the backup, on a timeline of its own. Once. */
  restore(): Promise<Primary>;
  /** Removes its files, unless it was restored. */
  remove(): void;
}

interface Shared extends ServerOptions {
  readonly major: PostgresMajor;
}

/** `options`: of the server and of all its standbys. */
export async function startPrimary(options: ServerOptions & { major?: PostgresMajor } = {}): Promise<Primary> {
  const { major = 18, settings, environment } = options;
  const shared = { major, environment, settings: { shared_buffers: '64MB', wal_keep_size: '1GB', ...settings } };
  return primaryOn(shared, await copyDataFolder(major));
}

async function primaryOn(shared: Shared, data: string, more: Record<string, string> = {}): Promise<Primary> {
  const server = await startOnFolder(shared.major, data, { ...shared, settings: { ...shared.settings, ...more } });
  return {
    url: server.url,
    port: server.port,
    createDatabase: server.createDatabase,
    makeStandby: (replication) => makeStandby(shared, { server, data }, replication),
    makeBackup: () => makeBackup(shared, { server, data }),
    kill: () => server.end('SIGQUIT'),
    async stop() {
      await server.end('SIGINT');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

let standbys = 0;

async function makeStandby(
  shared: Shared,
  from: { readonly server: ServerOnFolder; readonly data: string },
  replication: Replication,
): Promise<Standby> {
  const { url, port } = from.server;
  const name = `standby${++standbys}`;
  const data = await backUp(shared.major, from.server.url, from.data);
  const primary = `host=127.0.0.1 port=${port} user=muster application_name=${name}`;
  // Settings of a file, unlike options, can be changed while it runs.
  writeServerFile(data, 'postgresql.auto.conf', `primary_conninfo = '${primary}'\n`);
  writeServerFile(data, 'standby.signal', '');
  const standby = await primaryOn(shared, data);
  if (replication === 'sync') await set(url, 'synchronous_standby_names', name);
  const state = `SELECT FROM pg_stat_replication WHERE application_name = '${name}' AND sync_state = '${replication}'`;
  await eventually(`${name} follows`, async () => (await query(url, state)).length === 1);
  return {
    ...standby,
    async catchUp() {
      const [committed] = await query<{ lsn: string }>(url, 'SELECT pg_current_wal_lsn() AS lsn');
      const reached = `SELECT FROM pg_control_system() WHERE pg_last_wal_replay_lsn() >= '${committed?.lsn}'`;
      await eventually(`${name} has caught up`, async () => (await query(standby.url, reached)).length === 1);
    },
    async detach() {
      await set(standby.url, 'primary_conninfo', '');
      const receiver = 'SELECT FROM pg_stat_wal_receiver';
      await eventually(`${name} follows no longer`, async () => (await query(standby.url, receiver)).length === 0);
    },
    async promote() {
      const [promoted] = await query<{ done: boolean }>(standby.url, 'SELECT pg_promote(true, 60) AS done');
      if (!promoted?.done) throw new Error(`${name} is not promoted within 60 s`);
    },
  };
}

async function makeBackup(
  shared: Shared,
  from: { readonly server: ServerOnFolder; readonly data: string },
): Promise<Backup> {
  const data = await backUp(shared.major, from.server.url, from.data);
  // Its log is in the folder of the server, which keeps more than a backup needs.
  const [, first = ''] =
    /START WAL LOCATION: .* \(file (\w+)\)/.exec(readFileSync(join(data, 'backup_label'), 'utf8')) ?? [];
  const wal = join(from.data, 'pg_wal');
  const files = readdirSync(wal).filter((name) => /^\w{24}$/.test(name) && name >= first);
  const log = await copyToFolder(
    shared.major,
    files.map((name) => join(wal, name)),
  );
  const recovery = {
    restore_command: `cp ${log}/%f %p`,
    recovery_target: 'immediate',
    recovery_target_action: 'promote',
  };
  let isRestored = false;
  return {
    remove() {
      for (const folder of isRestored ? [] : [data, log]) rmSync(folder, { recursive: true, force: true });
    },
    async restore() {
      isRestored = true;
      writeServerFile(data, 'recovery.signal', '');
      const server = await primaryOn(shared, data, recovery);
      const isOver = async () => (await query(server.url, 'SELECT WHERE NOT pg_is_in_recovery()')).length === 1;
      await eventually('the backup is restored', isOver);
      rmSync(log, { recursive: true, force: true });
      return server;
    },
  };
}

/** Files of the running server alone. */
const left = new Set(['pg_wal', 'postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf', 'standby.signal']);

/** A base backup of a running server, in a new folder. Its log since then must come from the server. */
async function backUp(major: PostgresMajor, url: string, from: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('standby', true)`);
    const files = readdirSync(from).filter((name) => !left.has(name));
    const data = await copyToFolder(
      major,
      files.map((name) => join(from, name)),
    );
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    writeServerFile(data, 'backup_label', rows[0].labelfile);
    mkdirSync(join(data, 'pg_wal'), { mode: 0o700 });
    chownLike(data, join(data, 'pg_wal'));
    return data;
  } finally {
    await client.end();
  }
}

async function set(url: string, setting: string, value: string): Promise<void> {
  await query(url, `ALTER SYSTEM SET ${setting} = '${value}'`);
  await query(url, 'SELECT pg_reload_conf()');
}

async function query<T>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client
    .query(text)
    .then(({ rows }) => rows as T[])
    .finally(() => client.end());
}
