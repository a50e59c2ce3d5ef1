/** The permissions of a session's credentials, on a real nats-server. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { hintsSubject } from '../../../server/bus/subjects.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { accessOf, connectWorker, makeAssignment, until, type Worker } from './fixtures.ts';

let nats: ScratchNats;
let bus: ConnectedBus;
const workers: Worker[] = [];

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(nats.busOptions());
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.connection.close();
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
});

async function openWorker(sessionId: string): Promise<Worker> {
  const worker = await connectWorker(bus.grantAccess(sessionId));
  workers.push(worker);
  return worker;
}

test('a session receives its own subject', async () => {
  const sessionId = randomUUID();
  const access = bus.grantAccess(sessionId);
  expect(access.natsUrls).toEqual([nats.url]);
  const lifeMs = access.credentials.expireTimeMs - Date.now();
  expect(lifeMs).toBeGreaterThan(3_590_000);
  expect(lifeMs).toBeLessThanOrEqual(3_600_000);
  const worker = await openWorker(sessionId);
  await worker.listen(access.subject);
  bus.ping(sessionId, 5);
  await until(() => worker.messages.length === 1, 'the ping arrives');
  expect(worker.messages[0]?.ping).toBe(5n);
});

const foreign = {
  "another session's subject": `muster.v1.session.${randomUUID()}`,
  'all sessions': 'muster.v1.session.*',
  everything: '>',
  'the hints of replicas': hintsSubject,
  'the server itself': '$SYS.>',
  'an inbox': '_INBOX.>',
};

test.each(Object.entries(foreign))('a session can not subscribe to %s', async (_name, subject) => {
  const worker = await openWorker(randomUUID());
  await worker.listen(subject);
  await until(() => worker.statuses.some((status) => /permissions violation/i.test(status)), 'the refusal is seen');
  bus.assign(subject.slice('muster.v1.session.'.length), [makeAssignment()]);
  bus.announce({ kind: 'ended', jobIds: [randomUUID()] });
  bus.ping(randomUUID(), 1);
  // When this returns, the server has delivered everything that the replica published before.
  await roundTrip();
  await worker.connection.flush();
  expect(worker.messages).toEqual([]);
});

test.each(['muster.v1.session', hintsSubject, 'anything', '_INBOX.x'])(
  'a session can not publish to %s',
  async (prefix) => {
    const sessionId = randomUUID();
    const worker = await openWorker(sessionId);
    const subject = prefix === 'muster.v1.session' ? `${prefix}.${sessionId}` : prefix;
    const listener = await openWorker(sessionId);
    await listener.listen(`muster.v1.session.${sessionId}`);
    worker.connection.publish(subject, 'x');
    await until(() => worker.statuses.some((status) => /permissions violation for publish/i.test(status)), 'refused');
    await listener.connection.flush();
    expect(listener.messages).toEqual([]);
  },
);

test('a session can not take a third subscription', async () => {
  const sessionId = randomUUID();
  const worker = await openWorker(sessionId);
  for (let times = 0; times < 3; times++) await worker.listen(`muster.v1.session.${sessionId}`).catch(() => undefined);
  await until(() => worker.statuses.some((status) => /maximum subscriptions exceeded/i.test(status)), 'refused');
});

test('an expired JWT is refused', async () => {
  await expect(connectWorker(accessOf(nats, randomUUID(), -60_000))).rejects.toThrow(/authorization/i);
});

test('a connection ends with its JWT', async () => {
  const worker = await connectWorker(accessOf(nats, randomUUID(), 2_000));
  workers.push(worker);
  await until(() => worker.statuses.some((status) => /expired/i.test(status)), 'the server ends it');
});

test('a JWT without its seed, or of another account, is refused', async () => {
  const access = accessOf(nats, randomUUID());
  const other = accessOf(nats, randomUUID());
  const mixed = { ...access, credentials: { ...access.credentials, seed: other.credentials.seed } };
  await expect(connectWorker(mixed)).rejects.toThrow(/authorization/i);
  const none = { ...access, credentials: { jwt: '', seed: '', expireTimeMs: 0 } };
  await expect(connectWorker(none)).rejects.toThrow(/authorization/i);
  const stranger = await startNats();
  const foreignAccess = { ...accessOf(stranger, randomUUID()), natsUrls: [nats.url] };
  await expect(connectWorker(foreignAccess)).rejects.toThrow(/authorization/i);
  await stranger.stop();
});

async function roundTrip(): Promise<void> {
  const sessionId = randomUUID();
  const worker = await openWorker(sessionId);
  await worker.listen(`muster.v1.session.${sessionId}`);
  bus.ping(sessionId, 1);
  await until(() => worker.messages.length === 1, 'the round trip ends');
}
