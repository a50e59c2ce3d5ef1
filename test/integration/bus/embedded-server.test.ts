/** Supervision of the embedded nats-server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { EmbeddedServer } from '../../../server/bus/embedded-server.ts';
import { findServerBinary } from '../../../server/bus/server-binary.ts';
import { type CapturedLog, captureLog, connectWorker, isAlive, makeAssignment, until } from './fixtures.ts';

let folder: string;
let log: CapturedLog;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster bus "ü" '));
  log = captureLog();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

async function startServer(): Promise<EmbeddedServer> {
  const server = await EmbeddedServer.start({ folder: join(folder, 'nats'), log });
  closers.push(() => server.stop());
  return server;
}

async function openBus(): Promise<ConnectedBus> {
  const bus = await connectBus({ mode: 'embedded', dataFolder: folder, log });
  closers.push(() => bus.close());
  return bus;
}

async function serverPid(): Promise<number> {
  return Number(await readFile(join(folder, 'nats', 'nats-server.pid'), 'utf8'));
}

/** A process that idles until it is killed. */
function idle(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...args], { stdio: 'ignore' });
  closers.push(() => child.kill('SIGKILL'));
  return child;
}

test('the embedded nats-server keeps its files for their owner alone, and logs no secret', async () => {
  const server = await startServer();
  const nats = join(folder, 'nats');
  expect((await stat(nats)).mode & 0o777).toBe(0o700);
  for (const file of ['operator.seed', 'account.seed', 'nats-server.conf', 'port']) {
    expect((await stat(join(nats, file))).mode & 0o777, file).toBe(0o600);
  }
  process.kill(server.pid as number, 'SIGKILL');
  await until(() => log.lines.some((line) => line.includes('runs again')), 'it is started anew');
  expect(log.lines.join('\n')).not.toMatch(/\bS[OAU][A-Z2-7]{50}|eyJ/);
});

test('the embedded nats-server listens on the loopback interface only', async () => {
  const server = await startServer();
  const port = Number(new URL(server.url).port);
  const listening = (await readFile('/proc/net/tcp', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const ours = listening.filter(
    (words) => words[3] === '0A' && Number.parseInt(words[1]?.split(':')[1] ?? '', 16) === port,
  );
  if (process.platform === 'linux') expect(ours.map((words) => words[1]?.split(':')[0])).toEqual(['0100007F']);
  expect(new URL(server.url).hostname).toBe('127.0.0.1');
});

test('the embedded nats-server restarts at the same URL after a kill, and all clients reconnect', async () => {
  const bus = await openBus();
  const sessionId = randomUUID();
  const access = bus.grantAccess(sessionId);
  const worker = await connectWorker(access);
  closers.push(() => worker.connection.close());
  await worker.listen(access.subject);
  for (let times = 1; times <= 2; times++) {
    const pid = await serverPid();
    process.kill(pid, 'SIGKILL');
    await until(() => !bus.isUp(), 'the loss is seen');
    await until(() => bus.isUp(), 'the replica is back');
    await until(
      () => worker.statuses.filter((status) => status === 'reconnect').length === times,
      'the worker is back',
    );
    expect(await serverPid()).not.toBe(pid);
    worker.messages.length = 0;
    await worker.connection.flush();
    bus.ping(sessionId, times);
    await until(() => worker.messages.length === 1, 'a ping arrives over the new connection');
  }
  expect(bus.grantAccess(sessionId).natsUrls).toEqual(access.natsUrls);
  expect(log.lines.filter((line) => line.includes('nats-server has died'))).toHaveLength(2);
});

test('the embedded nats-server is started again with growing delays until it can start', async () => {
  const server = await startServer();
  const port = Number(new URL(server.url).port);
  const config = join(folder, 'nats', 'nats-server.conf');
  const whole = await readFile(config, 'utf8');
  await writeFile(config, 'port: nonsense');
  process.kill(server.pid as number, 'SIGKILL');
  await until(() => log.lines.filter((line) => line.includes('did not start')).length >= 3, 'three starts fail');
  const waits = log.lines.map((line) => /"waitMs":(\d+)/.exec(line)?.[1]).filter((wait) => wait !== undefined);
  expect(waits.slice(0, 3)).toEqual(['100', '200', '400']);
  await writeFile(config, whole);
  await until(() => log.lines.some((line) => line.includes('runs again')), 'it runs again');
  expect(Number(new URL(server.url).port)).toBe(port);
});

test('the embedded bus can be closed while its server hangs', async () => {
  const bus = await openBus();
  const pid = await serverPid();
  process.kill(pid, 'SIGSTOP');
  for (let times = 0; times < 20; times++)
    bus.assign(randomUUID(), [makeAssignment({ input: { data: Buffer.alloc(500_000), contentType: '' } })]);
  await bus.close();
  expect(isAlive(pid)).toBe(false);
});

test('the embedded nats-server leaves no process and no file when stopped, and restarts with its port and keys', async () => {
  const first = await startServer();
  const pid = first.pid as number;
  await first.stop();
  await first.stop();
  expect(isAlive(pid)).toBe(false);
  expect((await readdir(join(folder, 'nats'))).sort()).toEqual([
    'account.seed',
    'events.creds',
    'jetstream',
    'nats-server.conf',
    'operator.seed',
    'port',
    'system.seed',
  ]);
  const second = await startServer();
  expect(second.url).toBe(first.url);
  expect(second.trust.accountId).toBe(first.trust.accountId);
});

test('stopping the embedded bus also ends a server that hangs or is being restarted', async () => {
  const stuck = await startServer();
  process.kill(stuck.pid as number, 'SIGSTOP');
  await stuck.stop();
  expect(isAlive(stuck.pid as number)).toBe(false);
  const dying = await startServer();
  process.kill(dying.pid as number, 'SIGKILL');
  await until(() => log.lines.some((line) => line.includes('has died')), 'its death is seen');
  await dying.stop();
  expect(isAlive(dying.pid as number)).toBe(false);
});

test('the embedded bus ends a server that a killed control plane left behind, and takes over its port', async () => {
  const first = await startServer();
  await first.stop();
  const config = join(folder, 'nats', 'nats-server.conf');
  const orphan = spawn(await findServerBinary(), ['-c', config], { stdio: 'ignore' });
  closers.push(() => orphan.kill('SIGKILL'));
  await until(
    () =>
      serverPid().then(
        (pid) => pid === orphan.pid,
        () => false,
      ),
    'the orphan runs',
  );
  const second = await startServer();
  await until(() => !isAlive(orphan.pid as number), 'the orphan is gone');
  expect(second.url).toBe(first.url);
  expect(second.pid).not.toBe(orphan.pid);
  expect(log.lines.some((line) => line.includes('left behind'))).toBe(true);
});

test('the embedded bus harms no other process that a pid file names', async () => {
  const first = await startServer();
  await first.stop();
  const config = join(folder, 'nats', 'nats-server.conf');
  for (const stranger of [idle(), idle(config), idle('--', '-c', `${config}.old`)]) {
    await writeFile(join(folder, 'nats', 'nats-server.pid'), `${stranger.pid}\n`);
    const server = await startServer();
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(isAlive(stranger.pid as number)).toBe(true);
    await server.stop();
  }
});

test('the embedded bus takes a free port if another program has taken its own', async () => {
  const first = await startServer();
  await first.stop();
  const port = Number(new URL(first.url).port);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => squatter.close(resolve)));
  const second = await startServer();
  expect(second.url).not.toBe(first.url);
  expect(log.lines.some((line) => line.includes('taken the port'))).toBe(true);
});

test('the embedded nats-server ends with a control plane that is killed', async ({ skip }) => {
  if (process.platform !== 'linux') skip('the kernel does not offer it');
  const script = `
    const { EmbeddedServer } = await import(${JSON.stringify(new URL('../../../server/bus/embedded-server.ts', import.meta.url).href)});
    const log = { info() {}, warn() {}, error() {} };
    const server = await EmbeddedServer.start({ folder: ${JSON.stringify(join(folder, 'nats'))}, log });
    console.log(server.pid);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closers.push(() => parent.kill('SIGKILL'));
  let output = '';
  parent.stdout.on('data', (bytes) => {
    output += bytes;
  });
  await until(() => output.includes('\n'), 'it runs');
  expect(isAlive(Number(output))).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(Number(output)), 'it ends');
});

test('the embedded bus names a damaged key without showing it', async () => {
  const first = await startServer();
  await first.stop();
  const path = join(folder, 'nats', 'account.seed');
  const seed = await readFile(path, 'utf8');
  await writeFile(path, seed.slice(0, 30));
  const refused = expect(startServer()).rejects;
  await refused.toThrow(`account.seed is damaged`);
});

test('the embedded bus distinguishes a missing, an old and a broken nats-server', async () => {
  await expect(findServerBinary({ MUSTER_NATS_SERVER: join(folder, 'nowhere') })).rejects.toThrow(
    /nowhere does not run/,
  );
  for (const [version, problem] of [
    ['nats-server: v2.9.10', 'older than 2.10'],
    ['nats-server: v1.99.0', 'older than 2.10'],
    ['hello', 'does not print its version'],
  ]) {
    const path = join(folder, 'fake');
    await writeFile(path, `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
    await expect(findServerBinary({ MUSTER_NATS_SERVER: path })).rejects.toThrow(problem);
  }
  const path = join(folder, 'fake');
  await writeFile(path, "#!/bin/sh\necho 'nats-server: v3.0.1'\n", { mode: 0o755 });
  expect(await findServerBinary({ MUSTER_NATS_SERVER: path })).toBe(path);
});
