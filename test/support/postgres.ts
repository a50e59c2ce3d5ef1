/** Starts a scratch PostgreSQL server for tests, as an unprivileged user when we are root. */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export interface ScratchPostgres {
  readonly url: string;
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

const NOBODY = 65534;
const root = new URL('../../', import.meta.url).pathname;

/** A pool that outlives its server: it does not wait for the end of its last connections, which the server's own end breaks. */
export function openPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

/** Folder of the binaries of a major version, from the optional npm packages. */
function binariesOf(major: 16 | 18): string {
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

/** Resolves once the server answers; rejects when it ends or 30 s have passed. */
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

const MOST_PORTS = 5;

/** The port is free when it is looked for, and may be somebody else's when the server gets to it. */
async function startServer(native: string, data: string, as: SpawnOptions, settings: Record<string, string> = {}) {
  for (let nth = 1; ; nth++) {
    const port = await freePort();
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
    const killed = () => child.kill('SIGQUIT');
    process.once('exit', killed);
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (log = (log + chunk).slice(-8_000)));
    try {
      await answers(`postgres://muster@127.0.0.1:${port}/postgres`, child, () => log);
      return { child, port, killed };
    } catch (error) {
      process.off('exit', killed);
      if (nth === MOST_PORTS || !log.includes('could not bind')) throw error;
    }
  }
}

export async function startPostgres(
  options: { major?: 16 | 18; settings?: Record<string, string> } = {},
): Promise<ScratchPostgres> {
  const native = binariesOf(options.major ?? 18);
  const data = mkdtempSync(join(tmpdir(), 'muster-postgres-'));
  const asRoot = process.getuid?.() === 0;
  const identity = asRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (asRoot) chownSync(data, NOBODY, NOBODY);
  chmodSync(data, 0o700);
  const env = { ...process.env, LD_LIBRARY_PATH: join(native, 'lib') };
  execFileSync(
    join(native, 'bin/initdb'),
    ['-D', data, '-U', 'muster', '--auth=trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    { ...identity, env, cwd: data, stdio: 'pipe' },
  );
  const { child, port, killed } = await startServer(native, data, { ...identity, env }, options.settings);
  const url = (database: string) => `postgres://muster@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url: url('postgres'),
    async createDatabase() {
      const name = `scratch_${++databases}`;
      const client = new pg.Client({ connectionString: url('postgres') });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return url(name);
    },
    async stop() {
      process.off('exit', killed);
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGINT');
        await ended;
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
}
