/** A scratch Redis with the requested durability, in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/databases/postgres.ts';

export interface ScratchRedis {
  readonly version: string;
  /** Opens one of its sixteen databases, which is empty; `close` empties it again. */
  open(): Promise<{ readonly url: string; close(): Promise<void> }>;
  stop(): Promise<void>;
}

/** When acknowledged data reaches the disk: within a second, or before the acknowledgement. */
export type AppendFsync = 'everysec' | 'always';

const DATABASES = 16;
const START_MS = 30_000;
const POLL_MS = 20;
const unpacked = new URL('.tools/redis/', import.meta.url).pathname;

/** The server on the PATH, or else the one from the set-up; undefined: there is none. */
export function redisServer(): { readonly program: string; readonly libraries: string } | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const program = join(folder, 'redis-server');
    if (folder !== '' && existsSync(program)) return { program, libraries: '' };
  }
  const program = join(unpacked, 'usr/bin/redis-server');
  if (!existsSync(program)) return undefined;
  const folders = readdirSync(join(unpacked, 'usr/lib')).map((name) => join(unpacked, 'usr/lib', name));
  return { program, libraries: folders.join(delimiter) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Sends commands in the inline form of Redis's protocol. Resolves with the whole answer. */
function ask(port: number, ...commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${[...commands, 'QUIT'].join('\r\n')}\r\n`));
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Resolves with the server's info once it is up. */
async function answers(port: number, child: ChildProcess): Promise<string> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      const info = await ask(port, 'INFO server');
      if (info.includes('redis_version')) return info;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`redis-server did not start: ${error}`);
    }
    await delay(POLL_MS);
  }
}

async function openDatabase(port: number, index: number) {
  const clear = async () => void (await ask(port, `SELECT ${index}`, 'FLUSHDB'));
  await clear();
  return { url: `redis://127.0.0.1:${port}/${index}`, close: clear };
}

/** Uses the settings of BullMQ's guide to production: an append-only file, and no eviction. */
export async function startRedis(appendFsync: AppendFsync): Promise<ScratchRedis> {
  const server = redisServer();
  if (!server)
    throw new Error('redis-server is missing: put it on the PATH, or run npm run bench:peers, which sets it up');
  const folder = mkdtempSync(join(tmpdir(), 'muster-redis-'));
  const port = await freePort();
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    appendonly: 'yes',
    appendfsync: appendFsync,
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const env = { ...process.env, LD_LIBRARY_PATH: server.libraries };
  const child = spawn(server.program, args, { env, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  const info = await answers(port, child);
  let opened = 0;
  return {
    version: info.match(/redis_version:(\S+)/)?.[1] ?? 'unknown',
    open: () => openDatabase(port, opened++ % DATABASES),
    async stop() {
      process.off('exit', killed);
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
