/** SessionService on the wire: sessions, assignments and heartbeats. */
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { AttemptOutcome } from '@muster-jobs/sdk/gen/muster/v1/attempt_pb';
import { FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import { JobState, type ProgressSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { refusalOf } from '../base/rpc.ts';
import { offerOf, outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { openSession, sendHeartbeat: heartbeat, reportAttempts, closeSession } = SessionService.method;
const { result, released } = outcomes;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('OpenSession', () => {
  it('returns the heartbeat interval, the bus address and the credentials', async () => {
    const session = await world.rpc.call(openSession, offerOf('x'));
    expect(session).toMatchObject({
      beatInterval: { seconds: 5n },
      lease: { seconds: 600n },
      natsUrls: [expect.stringMatching(/^nats:\/\/127\.0\.0\.1:\d+$/)],
      natsCredentials: { jwt: expect.stringMatching(/\w/), seed: expect.stringMatching(/^SU/) },
      maxPayload: 512 << 10,
    });
    expect(session.sessionId).toHaveLength(16);
    expect(session.subject).not.toContain('*');
  });

  it('B69: accepts a name that is in use: both sessions live', async () => {
    const [one, other] = [await world.openWorker('x'), await world.openWorker('x')];
    expect(one.sessionText).not.toBe(other.sessionText);
    await one.becomeReachable();
    await other.becomeReachable();
  });

  it('returns the same session for the same request id, in upper and lower case', async () => {
    const requestId = randomUUID();
    const first = await world.rpc.call(openSession, { ...offerOf('x'), requestId });
    const again = await world.rpc.call(openSession, { ...offerOf('x'), requestId: requestId.toUpperCase() });
    expect(again.sessionId).toEqual(first.sessionId);
    expect((await world.rpc.call(openSession, { ...offerOf('x'), requestId: randomUUID() })).sessionId).not.toEqual(
      first.sessionId,
    );
  });

  it('refuses another offer with the request id of an earlier one', async () => {
    const rest = { labels: { a: '1', b: '2' }, resources: { cpu: 1.5 }, requestId: randomUUID() };
    const offer = { ...offerOf('x'), ...rest };
    const { sessionId } = await world.rpc.call(openSession, offer);
    const sorted = { ...offer, labels: { b: '2', a: '1' }, capabilities: ['time-travel'] };
    expect((await world.rpc.call(openSession, sorted)).sessionId).toEqual(sessionId);
    const others = [
      { workerName: 'another' },
      { slots: 1 },
      { labels: { a: '1', b: '3' } },
      { resources: { cpu: 2 } },
      offerOf('x', 'y'),
    ];
    for (const other of others) {
      expect(await world.rpc.refused(openSession, Object.assign({ ...offer }, other))).toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'REQUEST_ID_REUSED',
        fields: ['request_id'],
      });
    }
    expect((await world.rpc.call(openSession, offer)).sessionId).toEqual(sessionId);
  });

  it('does not reopen a closed session by its request id', async () => {
    const offer = { ...offerOf('x'), requestId: randomUUID() };
    const { sessionId } = await world.rpc.call(openSession, offer);
    await world.rpc.call(closeSession, { sessionId });
    expect(await world.rpc.refused(openSession, offer)).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'LEASE_LOST',
    });
  });

  it('ignores unknown capabilities', async () => {
    await world.rpc.call(openSession, { ...offerOf('x'), capabilities: ['time-travel'] });
  });
});

describe('a closed session', () => {
  it('B61: is reported as lost to heartbeats and reports', async () => {
    const { worker, attempt } = await world.hold();
    await world.rpc.call(closeSession, { sessionId: worker.sessionId });
    const { sessionId } = worker;
    const reports = [{ jobId: attempt.jobId, attempt: attempt.attempt, outcome: result() }];
    for (const call of [
      () => world.rpc.call(heartbeat, { sessionId }),
      () => world.rpc.call(reportAttempts, { sessionId, reports }),
      () => world.rpc.call(reportAttempts, { sessionId, reports, credits: [{ creditId: 9n, slots: 1 }] }),
    ]) {
      const refusal = await refusalOf(call());
      expect(refusal).toMatchObject({
        code: Code.FAILED_PRECONDITION,
        reason: 'LEASE_LOST',
        preconditions: ['LEASE_LOST'],
      });
      expect(refusal.info?.metadata).toEqual({ session_id: worker.sessionText });
    }
  });

  it.each([
    { workerLost: false, failureCause: FailureCause.SESSION_CLOSED },
    { workerLost: true, failureCause: FailureCause.LOST_WORKER },
  ])('gives back what it held, uncounted, with worker_lost $workerLost', async ({ workerLost, failureCause }) => {
    const { worker, jobId } = await world.hold();
    await world.rpc.call(closeSession, { sessionId: worker.sessionId, workerLost });
    expect(await world.getJob(jobId)).toMatchObject({
      state: JobState.READY,
      attempts: [{ outcome: AttemptOutcome.SESSION_CLOSED, counted: false, failure: { failureCause } }],
    });
  });

  it('can be closed again, as can one that never existed', async () => {
    const { sessionId } = await world.openWorker('x');
    for (let i = 0; i < 2; i++) await world.rpc.call(closeSession, { sessionId });
    await world.rpc.call(closeSession, { sessionId: uuidToBytes(randomUUID()) });
  });

  it('that never existed is as lost as one that did', async () => {
    const refusal = await world.rpc.refused(heartbeat, { sessionId: uuidToBytes(randomUUID()) });
    expect([refusal.code, refusal.reason]).toEqual([Code.FAILED_PRECONDITION, 'LEASE_LOST']);
  });

  it('requeues its jobs at once for the next worker', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const next = await world.openWorker(attempt.handler);
    await worker.close();
    const [again] = await next.take(1);
    expect(again).toMatchObject({ jobId: uuidToBytes(jobId), attempt: attempt.attempt + 1, attemptCount: 0 });
    expect((await world.getJob(jobId)).attempts).toMatchObject([
      { sessionId: worker.sessionText, outcome: 7, counted: false, failure: { failureCause: 10 } },
      { sessionId: next.sessionText, outcome: 0 },
    ]);
  });
});

describe('an assignment', () => {
  it('carries the job as it was submitted', async () => {
    const definition = await world.define({
      body: { case: 'task', value: { handler: 'shared.handler' } },
      leaseLossAction: 2,
      runTimeout: { seconds: 90n, nanos: 500_000_000 },
    });
    const worker = await world.openWorker('shared.handler');
    const input = { data: Uint8Array.of(0, 255, 10), contentType: 'application/x-odd', metadata: { a: 'b' } };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const jobId = await world.submit(definition, { input, traceparent, tracestate: 'a=b' });
    const [attempt] = await worker.take(1);
    expect(attempt).toMatchObject({
      jobId: uuidToBytes(jobId),
      attempt: 1,
      handler: 'shared.handler',
      definition,
      definitionVersion: 1,
      namespace: 'default',
      input,
      traceparent,
      tracestate: 'a=b',
      leaseLossAction: 2,
      attemptCount: 0,
      prefetch: false,
      runTimeout: { seconds: 90n, nanos: 500_000_000 },
    });
    expect(await world.getJob(jobId)).toMatchObject({ state: 5, attempt: 1, sessionId: worker.sessionText });
  });

  it('goes only to a session with its handler, version and labels', async () => {
    const definition = await world.define({ demands: { labels: { zone: 'eu' } } });
    const open = (offer: object) => world.openWorkerOf({ ...offerOf(definition), ...offer });
    const wrong = [
      await open({}),
      await open({ labels: { zone: 'us' } }),
      await open({ labels: { zone: 'eu' }, handlers: [{ name: definition, minVersion: 2 }] }),
      await open({ labels: { zone: 'eu' }, handlers: [{ name: 'another' }] }),
      await open({ labels: { zone: 'eu' }, namespace: 'other' }),
    ];
    const right = await open({
      labels: { zone: 'eu', more: 'x' },
      handlers: [{ name: definition, minVersion: 1, maxVersion: 1 }],
    });
    for (const worker of wrong) {
      await worker.becomeReachable();
      await worker.beat({ credits: [{ creditId: 1n, slots: 5 }] });
    }
    const jobId = await world.submit(definition);
    const [attempt] = await right.take(1);
    expect(attempt?.jobId).toEqual(uuidToBytes(jobId));
    expect(wrong.flatMap((worker) => worker.assigned)).toEqual([]);
  });

  it('that was lost is repeated in heartbeat replies until it is listed', async () => {
    const { worker, attempt } = await world.hold();
    await worker.beat();
    const { assignments } = await worker.beat();
    expect(assignments).toMatchObject([
      { jobId: attempt.jobId, attempt: 1, creditId: attempt.creditId, input: attempt.input },
    ]);
    const held = [{ jobId: attempt.jobId, attempt: 1 }];
    expect((await worker.beat({ heldAttempts: held })).assignments).toEqual([]);
  });

  it('that was lost fits into the reply with others of its kind, with checkpoints', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const count = 9;
    for (let i = 0; i < count; i++) await world.submit(definition);
    const checkpoint = { data: new Uint8Array(512 << 10) };
    for (const attempt of await worker.take(count)) {
      await worker.beat({ progress: [{ jobId: attempt.jobId, attempt: 1, sequence: 1n, checkpoint }] });
      await worker.report({ of: attempt, outcome: released() });
    }
    const second = await worker.take(count);
    await worker.beat();
    const { assignments } = await worker.beat();
    expect(assignments.length).toBeGreaterThan(0);
    expect(assignments.length).toBeLessThan(count);
    expect(second.every((attempt) => attempt.checkpoint?.data.length === checkpoint.data.length)).toBe(true);
  });
});

describe('a heartbeat', () => {
  it('that lists a started attempt makes it RUNNING', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.beat({ heldAttempts: [{ jobId: attempt.jobId, attempt: 1, started: false }] });
    expect(await world.stateOf(jobId)).toBe('ASSIGNED');
    await worker.started(attempt);
    expect(await world.stateOf(jobId)).toBe('RUNNING');
  });

  it('reports progress, and a late one resets nothing', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const update = (sequence: bigint, fraction: number, message: string) =>
      worker.beat({ progress: [{ jobId: attempt.jobId, attempt: 1, sequence, progress: { fraction, message } }] });
    await update(2n, 0.5, 'half');
    await update(1n, 0.1, 'begun');
    expect((await world.getJob(jobId)).progress).toMatchObject({ fraction: 0.5, message: 'half' });
    await update(3n, 1, 'all\nof it');
    expect((await world.getJob(jobId)).progress).toMatchObject({ fraction: 1, message: 'all\nof it' });
  });

  it('reports counted units, from which the end of a running job is estimated', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const update = (sequence: bigint, progress: MessageInitShape<typeof ProgressSchema>) =>
      worker.beat({ progress: [{ jobId: attempt.jobId, attempt: 1, sequence, progress }] });
    const read = async () => (await world.getJob(jobId)).progress;
    await worker.started(attempt);
    await update(1n, { done: 0n, total: 4n, unit: 'rows' });
    expect(await read()).toMatchObject({ fraction: 0, done: 0n, total: 4n, unit: 'rows' });
    expect((await read())?.estimatedEndTime).toBeUndefined();
    const begun = Date.now();
    await update(2n, { done: 1n, total: 4n, unit: 'rows', message: 'copying' });
    const shown = await read();
    expect(shown).toMatchObject({ fraction: 0.25, done: 1n, total: 4n, unit: 'rows', message: 'copying' });
    // Three more rows, each as long as this one took.
    expect(timestampMs(shown?.estimatedEndTime as Timestamp)).toBeGreaterThanOrEqual(begun);
    await update(3n, { done: 5n, total: 4n, unit: 'rows' });
    expect(await read()).toMatchObject({ fraction: 1, done: 5n, total: 4n });
    expect((await read())?.estimatedEndTime).toBeUndefined();
    await update(4n, { done: 6n, unit: 'rows' });
    expect(await read()).toMatchObject({ fraction: 0, done: 6n });
    expect((await read())?.total).toBeUndefined();
  });

  it('sends a checkpoint, which the next attempt starts with', async () => {
    const { worker, attempt } = await world.hold();
    const checkpoint = { data: Uint8Array.of(1, 0, 2), contentType: 'x/y', metadata: { k: 'v' } };
    await worker.beat({ progress: [{ jobId: attempt.jobId, attempt: 1, sequence: 1n, checkpoint }] });
    expect(await worker.report({ of: attempt, outcome: released() })).toEqual(['ACCEPTED']);
    const [next] = await worker.take(1);
    expect(next).toMatchObject({ attempt: 2, checkpoint });
  });

  it('B71: is accepted at most twenty times a second', async () => {
    const worker = await world.openWorker('x');
    const beats = await Promise.all(
      Array.from({ length: 400 }, () =>
        world.rpc.call(heartbeat, { sessionId: worker.sessionId }).then(
          () => undefined,
          (refusal) => refusal,
        ),
      ),
    );
    const refused = beats.filter((refusal) => refusal !== undefined);
    // A new second may begin meanwhile.
    expect(refused.length).toBeGreaterThanOrEqual(100);
    for (const refusal of refused) {
      expect([refusal.code, refusal.reason]).toEqual([Code.RESOURCE_EXHAUSTED, 'OVERLOADED']);
      expect(refusal.retryDelayMs).toBeGreaterThan(0);
    }
    await eventually('it may beat again', () => worker.beat());
  });

  it('of a draining worker gets no more work', async () => {
    const definition = await world.define();
    const [leaving, staying] = [await world.openWorker(definition), await world.openWorker(definition)];
    await leaving.becomeReachable();
    await leaving.beat({ draining: true, credits: [{ creditId: 1n, slots: 5 }] });
    await world.submit(definition);
    await staying.take(1);
    expect(leaving.assigned).toEqual([]);
  });
});
