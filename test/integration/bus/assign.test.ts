/** Assignments, cancels and pings on their way to a session. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeAssignments, splitBySize } from '../../../server/bus/assignment-message.ts';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { userPayloadLimit } from '../../../server/bus/nats-bus.ts';
import { uuidFromBytes } from '../../../server/domain/base/uuid.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { type CapturedLog, captureLog, connectWorker, makeAssignment, until, type Worker } from './fixtures.ts';

const messageLimit = 2 * 1024 * 1024 - 8 * 1024;
const sessionId = randomUUID();
let nats: ScratchNats;
let bus: ConnectedBus;
let worker: Worker;
let log: CapturedLog;

beforeAll(async () => {
  nats = await startNats();
  log = captureLog();
  bus = await connectBus(nats.busOptions(log));
  worker = await connectWorker(bus.grantAccess(sessionId));
  await worker.listen(`muster.v1.session.${sessionId}`);
});
afterAll(async () => {
  await worker?.connection.close();
  await bus?.close();
  await nats?.stop();
});

/** Waits for all sent messages and returns them. */
async function received() {
  const counter = Math.floor(Math.random() * 2 ** 40) + 1;
  bus.ping(sessionId, counter);
  await until(() => worker.messages.at(-1)?.ping === BigInt(counter), 'the ping behind the rest arrives');
  const messages = worker.messages.splice(0).slice(0, -1);
  return { messages, sizes: worker.sizes.splice(0).slice(0, -1) };
}

test('an assignment arrives with all of its fields', async () => {
  const assignment = makeAssignment({
    namespace: 'größe',
    tracestate: 'a=1',
    input: { data: Uint8Array.of(0, 255), contentType: 'x/y', metadata: { encoding: 'ß' } },
    checkpoint: { data: Uint8Array.of(1), contentType: '' },
  });
  bus.assign(sessionId, [assignment]);
  const { messages } = await received();
  expect(messages).toHaveLength(1);
  const arrived = messages[0]?.assignments[0];
  expect(uuidFromBytes(arrived?.jobId ?? new Uint8Array())).toBe(assignment.jobId);
  expect(arrived).toMatchObject({
    attempt: 3,
    creditId: 41n,
    handler: 'flights.delay',
    input: { data: Buffer.of(0, 255), contentType: 'x/y', metadata: { encoding: 'ß' } },
    prefetch: true,
    runTimeout: { seconds: 3_600n, nanos: 500_000_000 },
    definition: 'flight-delays',
    definitionVersion: 7,
    namespace: 'größe',
    attemptCount: 2,
    checkpoint: { data: Buffer.of(1), contentType: '', metadata: {} },
    traceparent: assignment.traceparent,
    tracestate: 'a=1',
    leaseLossAction: 2,
  });
});

test('an assignment without a checkpoint sends none', async () => {
  bus.assign(sessionId, [makeAssignment({ leaseLossAction: 'ABORT' })]);
  const arrived = (await received()).messages[0]?.assignments[0];
  expect(arrived?.checkpoint).toBeUndefined();
  expect(arrived?.leaseLossAction).toBe(1);
});

test('a thousand small assignments are one message', async () => {
  bus.assign(
    sessionId,
    Array.from({ length: 1_000 }, () => makeAssignment()),
  );
  const { messages } = await received();
  expect(messages.map((message) => message.assignments.length)).toEqual([1_000]);
});

test('large assignments use as few messages as max_payload - 8 KiB allows', async () => {
  const data = Buffer.alloc(500 * 1024, 'x');
  const assignments = Array.from({ length: 10 }, () => makeAssignment({ input: { data, contentType: '' } }));
  bus.assign(sessionId, assignments);
  const { messages, sizes } = await received();
  expect(messages.map((message) => message.assignments.length)).toEqual([4, 4, 2]);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(messageLimit);
  const ids = messages.flatMap((message) => message.assignments.map((one) => uuidFromBytes(one.jobId)));
  expect(ids).toEqual(assignments.map((one) => one.jobId));
});

test('the largest assignment, with input, checkpoint and all other fields at their maximum, fits one message', async () => {
  const payload = { data: Buffer.alloc(bus.maxUserPayload, 'x'), contentType: 't'.repeat(128) };
  const input = { ...payload, metadata: { ['k'.repeat(512)]: 'v'.repeat(512) } };
  bus.assign(sessionId, [makeAssignment({ input, checkpoint: input, tracestate: 's'.repeat(512) })]);
  const { messages, sizes } = await received();
  expect(messages).toHaveLength(1);
  expect(sizes[0]).toBeLessThanOrEqual(messageLimit);
});

test('an assignment that can not fit is dropped and logged, and harms nothing', async () => {
  const tooLarge = makeAssignment({ input: { data: Buffer.alloc(2 * 1024 * 1024), contentType: '' } });
  const other = makeAssignment();
  bus.assign(sessionId, [tooLarge, other]);
  const { messages } = await received();
  expect(messages.flatMap((message) => message.assignments.map((one) => uuidFromBytes(one.jobId)))).toEqual([
    other.jobId,
  ]);
  expect(log.lines.some((line) => line.includes('larger than max_payload'))).toBe(true);
});

test('cancels arrive, a thousand per message', async () => {
  const notices = Array.from({ length: 1_001 }, (_, index) => ({ jobId: randomUUID(), attempt: index + 1 }));
  bus.cancel(sessionId, notices);
  const { messages } = await received();
  expect(messages.map((message) => message.cancels.length)).toEqual([1_000, 1]);
  const arrived = messages.flatMap((message) => message.cancels);
  expect(arrived.map((one) => ({ jobId: uuidFromBytes(one.jobId), attempt: one.attempt }))).toEqual(notices);
});

test('invalid arguments throw nothing to the caller', () => {
  bus.assign(sessionId, [makeAssignment({ jobId: 'no id' })]);
  bus.assign('>', [makeAssignment()]);
  bus.cancel(sessionId, [{ jobId: '', attempt: 1 }]);
  bus.announce({ kind: 'ended', jobIds: ['x'] });
  expect(log.lines.filter((line) => line.startsWith('error')).length).toBe(4);
});

test('the size estimate is never below the real size', () => {
  const limit = 4_000;
  for (let round = 0; round < 500; round++) {
    const letters = (most: number) => 'aß€𝄞'.repeat(Math.ceil(Math.random() * most));
    const assignments = Array.from({ length: 20 }, () =>
      makeAssignment({
        handler: letters(10),
        namespace: letters(10),
        attempt: 2 ** 31 - 1,
        creditId: Number.MAX_SAFE_INTEGER,
        input: {
          data: Buffer.alloc(Math.floor(Math.random() * 600)),
          contentType: letters(5),
          metadata: { a: letters(9) },
        },
      }),
    );
    const groups = splitBySize(assignments, limit);
    expect(groups.flat()).toEqual(assignments);
    for (const group of groups) expect(encodeAssignments(group).length).toBeLessThanOrEqual(limit);
  }
});

test('the maximum request of a user follows max_payload', () => {
  expect(bus.maxUserPayload).toBe(512 * 1024);
  expect(userPayloadLimit(1024 * 1024)).toBe(504 * 1024);
  expect(userPayloadLimit(64 * 1024)).toBe(24 * 1024);
});
