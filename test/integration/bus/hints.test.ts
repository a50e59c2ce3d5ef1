/** Hints between replicas, and how each replica knows whether the bus is up. */
import { randomUUID } from 'node:crypto';
import { type Authenticator, jwtAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { BusConnection } from '../../../server/bus/connection.ts';
import { Loopback } from '../../../server/bus/loopback.ts';
import { loopbackSubject } from '../../../server/bus/subjects.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { captureLog, connectWorker, until } from './fixtures.ts';

let nats: ScratchNats;
let replicas: ConnectedBus[];
const received: Hint[][] = [[], [], []];

beforeAll(async () => {
  nats = await startNats();
  replicas = [];
  for (const hints of received) {
    const bus = await connectBus(nats.busOptions());
    bus.onHint((hint) => hints.push(hint));
    replicas.push(bus);
  }
});
afterAll(async () => {
  for (const replica of replicas ?? []) await replica.close();
  await nats?.stop();
});

test('a hint reaches every replica but its sender', async () => {
  const [first, second] = replicas as [ConnectedBus, ConnectedBus, ConnectedBus];
  const ready: Hint = { kind: 'ready', lanes: [{ laneId: 12, rank: 1_764_000_000_000_001 }] };
  const ended: Hint = { kind: 'ended', jobIds: [randomUUID(), randomUUID()] };
  first.announce(ready);
  await until(() => received[1]?.length === 1 && received[2]?.length === 1, 'the others hear the first');
  // This message arrives after everything that the server had to deliver before it.
  second.announce(ended);
  await until(() => received[0]?.length === 1 && received[2]?.length === 2, 'the others hear the second');
  expect(received).toEqual([[ended], [ready], [ready, ended]]);
});

test('unknown messages on the subject do no harm', async () => {
  const stranger = await connectWorker({
    natsUrls: [nats.url],
    credentials: { ...nats.replica, expireTimeMs: 0 },
  });
  for (const hints of received) hints.length = 0;
  stranger.connection.publish('muster.v1.replica.hints', 'nonsense');
  stranger.connection.publish('muster.v1.replica.hints', '');
  await stranger.connection.flush();
  const hint: Hint = { kind: 'ended', jobIds: [randomUUID()] };
  replicas[0]?.announce(hint);
  await until(() => received[1]?.length === 1, 'the hint after it arrives');
  expect(received[1]).toEqual([hint]);
  await stranger.connection.close();
});

test('the bus is down while the server hangs, and up when it continues', async () => {
  const log = captureLog();
  const bus = await connectBus(nats.busOptions(log));
  const pid = nats.server.pid as number;
  expect(bus.isUp()).toBe(true);
  process.kill(pid, 'SIGSTOP');
  try {
    await until(() => !bus.isUp(), 'the bus is seen down');
    // Long before the client itself gives up the connection.
    expect(log.lines).toEqual([]);
    bus.ping(randomUUID(), 1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until(() => bus.isUp(), 'the bus is seen up again');
  await bus.close();
});

test('a hanging server is sent at most 32 MiB, and more after it has read them', async () => {
  const log = captureLog();
  const { jwt, seed } = nats.replica;
  const authenticator = jwtAuthenticator(jwt, Buffer.from(seed));
  const connection = await BusConnection.open({ urls: [nats.url], authenticator, name: 'test', log });
  const loopback = new Loopback(connection, loopbackSubject(randomUUID()));
  await loopback.firstEcho;
  const megabyte = Buffer.alloc(1024 * 1024);
  const send = () => {
    connection.publish('test.nobody', megabyte);
    loopback.afterPublish();
  };
  process.kill(nats.server.pid as number, 'SIGSTOP');
  try {
    for (let times = 0; times < 100; times++) send();
    expect(connection.published).toBeGreaterThan(32 * 1024 * 1024);
    expect(connection.published).toBeLessThan(34 * 1024 * 1024);
    expect(log.lines.filter((line) => line.includes('the bus is slow'))).toHaveLength(1);
  } finally {
    process.kill(nats.server.pid as number, 'SIGCONT');
  }
  await until(() => {
    send();
    return connection.published > 200 * 1024 * 1024;
  }, 'it takes more');
  loopback.stop();
  await connection.close();
});

test('a server that never answers again is given up, however many bytes are pending', async () => {
  const log = captureLog();
  const { jwt, seed } = nats.replica;
  const authenticator = jwtAuthenticator(jwt, Buffer.from(seed));
  const connection = await BusConnection.open({ urls: [nats.url], authenticator, name: 'test', probeMs: 100, log });
  let received = 0;
  connection.subscribe('test.echo', () => {
    received += 1;
  });
  let returns = 0;
  connection.onReconnect(() => {
    returns += 1;
  });
  process.kill(nats.server.pid as number, 'SIGSTOP');
  try {
    // More than the operating system's buffers hold.
    for (let times = 0; times < 20; times++) connection.publish('test.nobody', Buffer.alloc(1024 * 1024));
    await until(() => !connection.connected, 'it is given up');
  } finally {
    process.kill(nats.server.pid as number, 'SIGCONT');
  }
  await until(() => connection.connected, 'a new connection stands');
  expect(returns).toBe(1);
  connection.publish('test.echo', new Uint8Array());
  await until(() => received === 1, 'the subscription stands too');
  await connection.close();
});

test('a client that ended because of invalid credentials is replaced when they are valid', async () => {
  const { jwt, seed } = nats.replica;
  const good = jwtAuthenticator(jwt, Buffer.from(seed));
  let isBroken = false;
  const authenticator: Authenticator = (nonce) => {
    if (isBroken) throw new Error('no seed');
    return good(nonce);
  };
  const connection = await BusConnection.open({ urls: [nats.url], authenticator, name: 'test', log: captureLog() });
  isBroken = true;
  const { client } = connection;
  await client?.reconnect();
  await client?.closed();
  await until(() => !connection.connected, 'it is down');
  isBroken = false;
  await until(() => connection.connected, 'a new connection stands');
  expect(connection.client).not.toBe(client);
  await connection.close();
});

test('hints without a server throw nothing, and are not sent later', async () => {
  const own = await startNats();
  const log = captureLog();
  const bus = await connectBus(own.busOptions(log));
  const sessionId = randomUUID();
  const worker = await connectWorker(bus.grantAccess(sessionId));
  await worker.listen(`muster.v1.session.${sessionId}`);
  process.kill(own.server.pid as number, 'SIGKILL');
  await until(() => !bus.isUp(), 'the loss is seen');
  for (let counter = 1; counter <= 1_000; counter++) bus.ping(sessionId, counter);
  await until(() => bus.isUp() && worker.statuses.includes('reconnect'), 'both are back');
  await worker.connection.flush();
  bus.ping(sessionId, 2_000);
  await until(() => worker.messages.length > 0, 'a ping arrives');
  expect(worker.messages.map((message) => message.ping)).toEqual([2_000n]);
  expect(log.lines.some((line) => /connected to the bus again .*"dropped":10\d\d/.test(line))).toBe(true);
  await worker.connection.close();
  await bus.close();
  await own.stop();
});
