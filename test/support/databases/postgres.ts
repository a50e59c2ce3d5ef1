/** PostgreSQL servers for tests, one shared by a run and temporary ones, as an unprivileged user when we are root. */
import { type ChildProcess, execFile, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { prepared } from '../run/prepared.ts';

export type PostgresMajor = 16 | 18;

export interface ScratchPostgres {
  readonly url: string;
  /** Creates an empty database and returns its URL. */
  createDatabase(name?: string): Promise<string>;
  /** Restarts it on a new timeline, as after a restore from a backup. */
  restartAsRestored(): Promise<void>;
  stop(): Promise<void>;
}

/** Databases of one test file on the shared server, which no test stops or reconfigures. */
export interface TestDatabases {
  /** Creates a database and returns its URL. Default: with the schema. */
  createDatabase(contents?: 'schema' | 'empty'): Promise<string>;
  /** Drops them. */
  stop(): Promise<void>;
}

/** The database with the schema on the shared server. New databases are copies of it. */
export const MIGRATED = 'migrated';

const NOBODY = 65534;
const root = new URL('../../../', import.meta.url).pathname;

/** A pool that survives its server: it does not wait for connections that the end of the server breaks. */
export function openPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

/** Folder of the binaries of a major version, from the optional npm packages. */
function binariesOf(major: PostgresMajor): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = `postgres-${major}-${platform}`;
  const folder = join(root, 'node_modules', name, 'native');
  if (!existsSync(folder))
    throw new Error(
      `PostgreSQL ${major} is not installed: run "npm test" once, which sets it up (looked in node_modules/${name})`,
    );
  return folder;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Resolves once the server answers. Rejects when it ends or after 30 s. */
async function answers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`PostgreSQL did not start: ${error}\n${output()}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const REMOVALS = 100;

/** Retries, because a server that is stopping still removes files itself. */
function removeAtExit(folder: string): void {
  for (let nth = 1; nth <= REMOVALS; nth++) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

const MAX_PORTS = 5;

export interface ServerOptions {
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Added to this process's own. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** The chosen port is free, but another process may take it before the server does; then it tries again. */
async function launchServer(native: string, data: string, { settings, environment }: ServerOptions, oldPort?: number) {
  const identity = identityOf(native);
  const as = { ...identity, env: { ...identity.env, ...environment } };
  for (let nth = 1; ; nth++) {
    const port = oldPort ?? (await freePort());
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: data,
      shared_buffers: '256MB',
      max_wal_size: '4GB',
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const program = join(native, 'bin/postgres');
    const child = spawn(program, ['-D', data, ...flags], { ...as, cwd: data, stdio: ['ignore', 'pipe', 'pipe'] });
    const killed = () => {
      child.kill('SIGQUIT');
      removeAtExit(data);
    };
    process.once('exit', killed);
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (log = (log + chunk).slice(-8_000)));
    try {
      await answers(`postgres://muster@127.0.0.1:${port}/postgres`, child, () => log);
      return { child, port, killed, log: () => log };
    } catch (error) {
      process.off('exit', killed);
      if (nth === MAX_PORTS || !log.includes('could not bind')) throw error;
    }
  }
}

/** The user for the server's programs, because the server refuses to run as root. */
function identityOf(native: string): SpawnOptions {
  const nobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return { ...nobody, env: { ...process.env, LD_LIBRARY_PATH: join(native, 'lib') } };
}

const MEMORY_FOLDER = '/dev/shm';
const ENOUGH_BYTES = 8 * 2 ** 30;

/**
 * Where the shared server keeps its files: in memory, if that has room. A run creates and drops hundreds of databases.
 * One took 37 ms there, and 59 to 370 ms on ext4, which reuses no inode that was deleted a moment before.
 */
export function memoryFolder(): string {
  if (!existsSync(MEMORY_FOLDER)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
  return bavail * bsize < ENOUGH_BYTES ? tmpdir() : MEMORY_FOLDER;
}

/** An empty folder owned by the server's user. */
function makeServerFolder({ uid, gid }: SpawnOptions, parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'muster-postgres-'));
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  chmodSync(folder, 0o700);
  return folder;
}

/** A data folder from which a server can start. */
export function makeDataFolder(major: PostgresMajor, parent?: string): string {
  const native = binariesOf(major);
  const identity = identityOf(native);
  const data = makeServerFolder(identity, parent);
  const options = ['-U', 'muster', '--auth=trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  execFileSync(join(native, 'bin/initdb'), ['-D', data, ...options], { ...identity, cwd: data, stdio: 'pipe' });
  return data;
}

/** A copy of files of a data folder, for another server. */
export async function copyToFolder(major: PostgresMajor, sources: readonly string[], parent?: string): Promise<string> {
  const identity = identityOf(binariesOf(major));
  const data = makeServerFolder(identity, parent);
  await promisify(execFile)('cp', ['-R', ...sources, data], { ...identity, cwd: data });
  return data;
}

/** A file in a data folder, owned by the server's user. */
export function writeServerFile(data: string, name: string, content: string): void {
  const path = join(data, name);
  writeFileSync(path, content, { mode: 0o600 });
  chownLike(data, path);
}

export function chownLike(folder: string, path: string): void {
  const { uid, gid } = statSync(folder);
  chownSync(path, uid, gid);
}

export async function copyDataFolder(major: PostgresMajor, parent?: string): Promise<string> {
  const template = await prepared(`postgres-${major} folder`);
  return template === undefined ? makeDataFolder(major, parent) : copyToFolder(major, [`${template}/.`], parent);
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const nameOf = (kind: string) => `${kind}_${randomUUID().replaceAll('-', '')}`;
const onDatabase = (url: string, name: string) => Object.assign(new URL(url), { pathname: name }).href;

/** A running server over its data folder. */
export interface ServerOnFolder {
  readonly url: string;
  readonly port: number;
  /** Creates an empty database and returns its URL. */
  createDatabase(name?: string): Promise<string>;
  /** The last 8,000 characters of its log. */
  log(): string;
  hasEnded(): boolean;
  /** Ends it, unless it has ended. Its folder stays. */
  end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
}

/** Starts a server on a folder that its user owns, on a free port unless that is given. */
export async function startOnFolder(
  major: PostgresMajor,
  data: string,
  options: ServerOptions = {},
  oldPort?: number,
): Promise<ServerOnFolder> {
  const { child, port, killed, log } = await launchServer(binariesOf(major), data, options, oldPort);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const url = `postgres://muster@127.0.0.1:${port}/postgres`;
  return {
    url,
    port,
    async createDatabase(name = nameOf('scratch')) {
      await administer(url, `CREATE DATABASE ${name}`);
      return onDatabase(url, name);
    },
    log,
    hasEnded,
    async end(signal) {
      process.off('exit', killed);
      if (hasEnded()) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await ended;
    },
  };
}

export interface ScratchOptions extends ServerOptions {
  readonly major?: PostgresMajor;
  /** Of its data folder; default: the folder for temporary files. */
  readonly parent?: string;
}

/** A server for one test, which may stop it or change its settings. */
export async function startPostgres(options: ScratchOptions = {}): Promise<ScratchPostgres> {
  const { major = 18, settings, parent } = options;
  const data = await copyDataFolder(major, parent);
  let server = await startOnFolder(major, data, options);
  const { url, port } = server;
  return {
    url,
    createDatabase: (name) => server.createDatabase(name),
    async restartAsRestored() {
      await server.end('SIGINT');
      writeServerFile(data, 'recovery.signal', '');
      const restored = { ...options, settings: { ...settings, restore_command: 'false' } };
      server = await startOnFolder(major, data, restored, port);
    },
    async stop() {
      await server.end('SIGINT');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Databases on the shared server. */
export async function sharedPostgres(major: PostgresMajor = 18): Promise<TestDatabases> {
  const url = await prepared(`postgres-${major} server`);
  if (url === undefined) throw new Error('only a run of tests shares a server');
  const names: string[] = [];
  return {
    async createDatabase(contents = 'schema') {
      const name = nameOf('test');
      names.push(name);
      await administer(url, `CREATE DATABASE ${name}${contents === 'schema' ? ` TEMPLATE ${MIGRATED}` : ''}`);
      return onDatabase(url, name);
    },
    async stop() {
      for (const name of names.splice(0)) await administer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
