/** PgBouncer before a PostgreSQL: its settings are the defaults besides mode, addresses and the number of connections. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { dieWithParent } from '../../../server/bus/server-binary.ts';
import { eventually } from '../base/eventually.ts';
import { freePort } from './postgres.ts';

const NOBODY = 65534;
/** To PostgreSQL: for each client one. */
const CONNECTIONS = 90;

export interface PgBouncer {
  /** The database through it. */
  readonly url: string;
  readonly port: number;
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** Ends it at once, and all connections through it. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Before the server of `url`, which must ask for no password. It does not run yet. */
export async function makePgBouncer(url: string, mode: 'session' | 'transaction'): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-pgbouncer-'));
  chmodSync(folder, 0o755);
  const [server, port, prefix] = [new URL(url), await freePort(), await dieWithParent()];
  const [settings, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  writeFileSync(users, `"${server.username}" ""\n`, { mode: 0o644 });
  writeFileSync(
    settings,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${CONNECTIONS}
`,
    { mode: 0o644 },
  );
  const pooled = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
  let child: ChildProcess | undefined;
  const kill = async () => {
    const dying = child;
    child = undefined;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    const ended = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await ended;
  };
  return {
    url: pooled,
    port,
    async start() {
      child = launch([...prefix, 'pgbouncer', '--quiet', settings]);
      await eventually('PgBouncer serves', () => answers(pooled, child));
    },
    kill,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It refuses to run as root. */
function launch([command = '', ...args]: readonly string[]): ChildProcess {
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return spawn(command, args, { ...identity, stdio: 'ignore' });
}

async function answers(url: string, child: ChildProcess | undefined): Promise<boolean> {
  if (child?.exitCode !== null) throw new Error(`PgBouncer has ended with ${child?.exitCode}`);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.end();
  return true;
}
