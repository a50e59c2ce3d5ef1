/** An external bus: with a signing seed, with shared credentials, and with none. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAccount, encodeOperator, encodeUser } from '@nats-io/jwt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectBus, type ExternalBusOptions } from '../../../server/bus/connect-bus.ts';
import { createKey } from '../../../server/bus/keys.ts';
import { findServerBinary } from '../../../server/bus/server-binary.ts';
import { prepareFolder, readBoundPort } from '../../../server/bus/server-files.ts';
import { formatCredentials } from '../../../server/bus/trust.ts';
import { quietLog, type ScratchNats, startNats } from '../../support/base/nats.ts';
import { accessOf, captureLog, connectWorker, until } from './fixtures.ts';

let nats: ScratchNats;
let folder: string;

beforeAll(async () => {
  nats = await startNats();
  folder = await mkdtemp(join(tmpdir(), 'muster-external-'));
});
afterAll(async () => {
  await nats?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a nats-server with this configuration, on a free port unless it names one. */
async function withServer(config: object, use: (url: string) => Promise<void>): Promise<void> {
  const files = await prepareFolder(join(folder, randomUUID()));
  await writeFile(
    files.config,
    JSON.stringify({ host: '127.0.0.1', port: -1, ports_file_dir: files.folder, ...config }),
  );
  const child = spawn(await findServerBinary(), ['-c', files.config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const bound = () => readBoundPort(files, child.pid as number);
    await until(async () => (await bound()) !== undefined, 'the server listens');
    await use(`nats://127.0.0.1:${await bound()}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

test('a server without JetStream carries everything but events, and that is logged', async () => {
  await withServer({}, async (url) => {
    const bus = await connectBus({ mode: 'external', nowMs: Date.now, urls: [url], log: quietLog });
    await expect(bus.events.prepare()).rejects.toMatchObject({
      reason: 'EVENTS_UNAVAILABLE',
      message: expect.stringContaining('has no JetStream'),
    });
    expect(bus.events.isAbsent).toBe(true);
    expect(bus.isUp()).toBe(true);
    await bus.close();
  });
});

test('sessions share the credentials without a signing seed, and the log warns of it', async () => {
  const log = captureLog();
  const { credentialsFile } = nats;
  const bus = await connectBus({ mode: 'external', nowMs: Date.now, urls: [nats.url], credentialsFile, log });
  const sessionId = randomUUID();
  const access = bus.grantAccess(sessionId);
  expect(access.credentials).toEqual({ ...nats.replica, expireTimeMs: 0 });
  expect(log.lines.filter((line) => line.startsWith('warn '))).toEqual([
    expect.stringMatching(/^warn no signing seed for the bus: workers share its credentials/),
  ]);
  expect(log.lines.join('\n')).not.toContain(nats.replica.seed);
  const worker = await connectWorker(access);
  await worker.listen(access.subject);
  bus.ping(sessionId, 8);
  await until(() => worker.messages[0]?.ping === 8n, 'the ping arrives');
  await worker.connection.close();
  await bus.close();
});

test('a bus without authentication issues empty credentials', async () => {
  await withServer({ max_payload: 128 * 1024 }, async (url) => {
    const log = captureLog();
    const bus = await connectBus({ mode: 'external', nowMs: Date.now, urls: [url], log });
    expect(log.lines).toEqual([
      expect.stringMatching(/^warn no credentials for the bus: anyone who reaches it can read/),
    ]);
    expect(bus.maxUserPayload).toBe(56 * 1024);
    const access = bus.grantAccess(randomUUID());
    expect(access.credentials).toEqual({ jwt: '', seed: '', expireTimeMs: 0 });
    const worker = await connectWorker(access);
    await worker.connection.close();
    await bus.close();
  });
});

test('a max_payload without space for payloads is refused', async () => {
  await withServer({ max_payload: 16 * 1024 }, async (url) => {
    await expect(connectBus({ mode: 'external', nowMs: Date.now, urls: [url], log: quietLog })).rejects.toThrow(
      /no room for a payload/,
    );
  });
});

/**
 * Runs a server with an account and its signing key; `use` gets a replica's credentials with that key or another one.
 */
async function withSigningKey(
  signedBy: 'its signing key' | 'another key',
  use: (options: Pick<ExternalBusOptions, 'urls' | 'credentialsFile' | 'signingSeedFile'>) => Promise<void>,
): Promise<void> {
  const account = createKey('account');
  const signingKey = createKey('account');
  const operator = createKey('operator');
  const user = createKey('user');
  const accountId = account.getPublicKey();
  const config = {
    operator: await encodeOperator('test', operator),
    resolver: 'MEMORY',
    resolver_preload: {
      [accountId]: await encodeAccount(
        'test',
        account,
        {
          limits: { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, conn: -1, wildcards: true },
          signing_keys: [signingKey.getPublicKey()],
        },
        { signer: operator },
      ),
    },
  };
  const jwt = await encodeUser('replica', user, accountId, {}, { signer: signingKey });
  const credentialsFile = join(folder, 'test.creds');
  const signingSeedFile = join(folder, 'signing.seed');
  await writeFile(credentialsFile, formatCredentials({ jwt, seed: Buffer.from(user.getSeed()).toString() }));
  await writeFile(signingSeedFile, (signedBy === 'another key' ? createKey('account') : signingKey).getSeed());
  await withServer(config, (url) => use({ urls: [url], credentialsFile, signingSeedFile }));
}

test('a signing key of another account is refused at the start', async () => {
  await withSigningKey('another key', async (options) => {
    await expect(connectBus({ mode: 'external', nowMs: Date.now, ...options, log: quietLog })).rejects.toThrow(
      /sessions can't connect to the bus with credentials signed by .*signing\.seed: it has to hold the seed of the account/,
    );
  });
});

test('a clock of the database that is 70 minutes slow is named at the start', async () => {
  await withSigningKey('its signing key', async (options) => {
    const slowMs = Date.now() - 70 * 60_000;
    const connecting = connectBus({ mode: 'external', ...options, nowMs: () => slowMs, log: quietLog });
    await expect(connecting).rejects.toThrow(
      `the clocks of the database, which says ${new Date(slowMs).toISOString()}, and of the machine of NATS have to agree`,
    );
  });
});

test('a signing key of the account signs sessions’ credentials, without a warning', async () => {
  await withSigningKey('its signing key', async (options) => {
    const log = captureLog();
    const bus = await connectBus({ mode: 'external', nowMs: Date.now, ...options, log });
    expect(log.lines).toEqual([]);
    const sessionId = randomUUID();
    const worker = await connectWorker(bus.grantAccess(sessionId));
    await worker.listen(`muster.v1.session.${sessionId}`);
    bus.ping(sessionId, 3);
    await until(() => worker.messages[0]?.ping === 3n, 'the ping arrives');
    await worker.listen('>');
    await until(() => worker.statuses.some((status) => /permissions violation/i.test(status)), 'the rest is refused');
    await worker.connection.close();
    await bus.close();
  });
});

test('credentials that can not publish are refused at the start', async () => {
  const access = accessOf(nats, randomUUID());
  const credentialsFile = join(folder, 'weak.creds');
  await writeFile(credentialsFile, formatCredentials(access.credentials));
  const connecting = connectBus({
    mode: 'external',
    nowMs: Date.now,
    urls: [nats.url],
    credentialsFile,
    log: quietLog,
  });
  await expect(connecting).rejects.toThrow(/have to allow muster\.v1\.>/);
});

test('invalid settings are refused with advice', async () => {
  const external = { mode: 'external', nowMs: Date.now, log: quietLog } as const;
  const { credentialsFile, signingSeedFile } = nats;
  await expect(connectBus({ ...external, urls: ['nats://me:secret@127.0.0.1:4222'] })).rejects.toThrow(
    'the URL of the bus holds a user or a password: use a credentials file instead',
  );
  await expect(connectBus({ ...external, urls: [nats.url] })).rejects.toThrow(/refuses the credentials/);
  await expect(connectBus({ ...external, urls: [nats.url], signingSeedFile })).rejects.toThrow(
    /needs a credentials file/,
  );
  await expect(
    connectBus({ ...external, urls: [nats.url], credentialsFile, signingSeedFile: credentialsFile }),
  ).rejects.toThrow(/does not hold the seed/);
  await expect(connectBus({ ...external, urls: [nats.url], credentialsFile: signingSeedFile })).rejects.toThrow(
    /is not a NATS credentials file/,
  );
});

test('a bus that can not be reached at the start is used once it answers', async () => {
  const config = { port: await freePort() };
  const log = captureLog();
  const urls = [`nats://127.0.0.1:${config.port}`];
  const bus = await connectBus({ mode: 'external', nowMs: Date.now, urls, log, firstConnectMs: 1 });
  expect(log.lines).toContainEqual(expect.stringMatching(/^warn starts without the bus/));
  expect([bus.isUp(), bus.maxUserPayload]).toEqual([false, 504 * 1024]);
  expect(bus.grantAccess(randomUUID())).toMatchObject({ natsUrls: urls });
  bus.ping(randomUUID(), 1);
  await expect(bus.events.prepare()).rejects.toMatchObject({ reason: 'EVENTS_UNAVAILABLE' });
  expect(bus.events.isAbsent).toBe(false);
  await withServer(config, async (url) => {
    await until(() => bus.isUp(), 'the bus is up');
    const other = await connectBus({ mode: 'external', nowMs: Date.now, urls: [url], log: quietLog });
    const hints: unknown[] = [];
    bus.onHint((hint) => hints.push(hint));
    other.announce({ kind: 'ended', jobIds: [randomUUID()] });
    await until(() => hints.length === 1, 'a hint of another replica arrives');
    await other.close();
  });
  await bus.close();
});

test('a bus that is of no use when it answers is logged', async () => {
  const config = { port: await freePort(), max_payload: 64 * 1024 };
  const log = captureLog();
  const urls = [`nats://127.0.0.1:${config.port}`];
  const bus = await connectBus({ mode: 'external', nowMs: Date.now, urls, log, firstConnectMs: 1 });
  await withServer(config, () =>
    until(() => log.lines.some((line) => /^error the bus is of no use .*65536/.test(line)), 'the log says so'),
  );
  await bus.close();
});
