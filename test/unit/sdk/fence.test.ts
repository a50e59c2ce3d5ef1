/** The fence: without an answered heartbeat a worker stops by itself, and continues after the next answer. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import { LeaseLossAction } from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import { ReportResult } from '../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import { SendHeartbeatResponseSchema } from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { Fence } from '../../../sdk/typescript/src/worker/core/sessions/fence.ts';
import { assign, CoreWorld, result } from './support/core-world.ts';

const CONTINUE = { leaseLossAction: LeaseLossAction.CONTINUE };

test('the fence counts from the sending of the last answered heartbeat, whatever the order of answers', () => {
  const fence = new Fence(0, 15_000);
  expect(fence.passed(12_999)).toBe(false);
  expect(fence.passed(13_000)).toBe(true);
  fence.extend(9_000);
  fence.extend(5_000);
  expect(fence.at).toBe(22_000);
});

/** A session whose last answered heartbeat was sent just now. */
async function beaten(slots = 3) {
  const world = new CoreWorld({ slots });
  const credit = await world.ready();
  return { world, credit };
}

describe('a fenced worker', () => {
  test('signals handlers 13 s after the sending, and reports them as aborted until that is acknowledged', async () => {
    const { world, credit } = await beaten();
    const job = assign(1, credit);
    await world.deliver([job]);
    await world.time.advance(12_999);
    expect(world.stops).toEqual([]);
    await world.time.advance(1);
    expect(world.stops).toEqual([{ slot: world.slotOf(job), reason: 'lease_lost' }]);
    expect(world.outcomes).toEqual(['1.1 aborted']);
    await world.lastReport.fail(Code.UNAVAILABLE);
    await world.time.advance(100);
    expect(world.outcomes).toEqual(['1.1 aborted', '1.1 aborted']);
    await world.time.advance(5_000);
    expect(world.lastBeat.request.heldAttempts).toMatchObject([{ started: true }]);
    await world.acknowledge();
    await world.time.advance(5_000);
    expect(world.lastBeat.request.heldAttempts).toEqual([]);
  });

  test('drops the result of an aborted handler, and keeps its slot taken until it returns', async () => {
    const { world, credit } = await beaten(1);
    const job = assign(1, credit);
    await world.deliver([job]);
    await world.time.advance(13_000);
    await world.acknowledge();
    await world.answerBeats();
    await world.advanceBeating(1_000);
    expect(world.credits).toHaveLength(1);
    await world.end(job);
    await world.time.advance(200);
    expect(world.outcomes).toEqual(['1.1 aborted']);
    expect(world.lastBeat.request.credits).toMatchObject([{ slots: 1 }]);
  });

  test('lets handlers of definitions with CONTINUE run on, and reports their result', async () => {
    const { world, credit } = await beaten();
    const job = assign(1, credit, CONTINUE);
    await world.deliver([job]);
    await world.time.advance(14_000);
    expect(world.stops).toEqual([]);
    await world.end(job);
    expect(world.outcomes).toEqual(['1.1 result']);
  });

  test('starts and grants nothing more, and releases attempts that wait or were not entered', async () => {
    const { world, credit } = await beaten(1);
    world.entersAtOnce = false;
    await world.deliver([assign(1, credit)]);
    await world.time.advance(13_000);
    expect(world.outcomes).toEqual(['1.1 released NOT_STARTED']);
    await world.deliver([assign(2, credit), assign(3, 99n)]);
    expect(world.outcomes).toEqual(['1.1 released NOT_STARTED']);
    expect(world.core.stats.ignored).toBe(2);
    await world.time.advance(5_000);
    expect(world.credits).toHaveLength(1);
    expect(world.events).toContain('fenced');
  });

  test('fences itself before it reads a message when its process was paused', async () => {
    const { world, credit } = await beaten();
    world.time.jump(13_000);
    await world.deliver([assign(1, credit)]);
    expect(world.started).toEqual([]);
    expect(world.core.stats.ignored).toBe(1);
  });
});

describe('the recovery from a fence', () => {
  test('comes with the answer to a heartbeat, which the session still sends', async () => {
    const { world, credit } = await beaten();
    await world.time.advance(14_000);
    const beats = world.beats.length;
    await world.time.advance(5_000);
    expect(world.beats.length).toBeGreaterThan(beats);
    await world.answerBeats();
    expect(world.events).toContain('recovered');
    await world.time.advance(100);
    const fresh = world.lastCredit;
    expect(fresh.creditId).toBeGreaterThan(credit.creditId);
    await world.deliver([assign(1, fresh)]);
    expect(world.started).toHaveLength(1);
  });

  test('does not come with the answer to a heartbeat that is too old itself', async () => {
    const { world } = await beaten();
    await world.time.advance(5_000);
    const old = world.lastBeat;
    await world.time.advance(14_000);
    await world.answerBeats();
    world.time.jump(20_000);
    await old.answer({
      $typeName: 'muster.worker.v1.SendHeartbeatResponse',
      assignments: [],
      cancels: [],
      drain: false,
      reconnectBus: false,
      natsUrls: [],
      suspends: [],
    });
    await world.deliver([assign(1, world.lastCredit)]);
    expect(world.started).toEqual([]);
  });

  test('can be followed by another fence', async () => {
    const { world } = await beaten();
    await world.time.advance(13_500);
    await world.answerBeats();
    await world.time.advance(20_000);
    expect(world.core.stats.fences).toBe(2);
  });
});

describe('a closed session', () => {
  test.each(['beat', 'report'])('stops everything after LEASE_LOST to a %s, and a new session opens', async (call) => {
    const { world, credit } = await beaten(2);
    const [a, b] = [assign(1, credit), assign(2, credit, CONTINUE)];
    await world.deliver([a, b]);
    await world.time.advance(5_000);
    if (call === 'report') await world.end(a);
    const failing = call === 'beat' ? world.lastBeat : world.lastReport;
    await failing.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    expect(world.stops.at(-1)).toEqual({ slot: world.slotOf(b), reason: 'lease_lost' });
    expect(world.buses[0]?.closed).toBe(true);
    expect(world.opens).toHaveLength(2);
    expect(world.events).toContain('lost');
    const reports = world.reports.length;
    await world.end(b);
    await world.time.advance(1_000);
    expect(world.reports).toHaveLength(reports);
  });

  test('keeps slots of its handlers taken until they return', async () => {
    const { world, credit } = await beaten(2);
    const zombie = assign(1, credit);
    await world.deliver([zombie]);
    await world.time.advance(5_000);
    await world.lastBeat.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    const fresh = await world.ready();
    expect(fresh).toMatchObject({ creditId: 1n, slots: 1 });
    expect(world.lastBeat.request.heldAttempts).toEqual([]);
    await world.end(zombie);
    await world.time.advance(200);
    expect(world.lastCredit).toMatchObject({ creditId: 2n, slots: 1 });
    expect(world.outcomes).toEqual([]);
  });

  test('never enters handlers that were not entered, and frees their slots at once', async () => {
    const { world, credit } = await beaten(2);
    world.entersAtOnce = false;
    await world.deliver([assign(1, credit)]);
    await world.time.advance(5_000);
    await world.lastBeat.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    expect(world.running.size).toBe(0);
    expect(await world.ready()).toMatchObject({ slots: 2 });
  });

  test('ignores messages and answers of the old session', async () => {
    const { world, credit } = await beaten();
    const [old] = world.buses;
    await world.time.advance(10_000);
    const [late, failing] = world.beats.filter((beat) => !beat.settled);
    await failing?.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    await world.ready();
    await late?.answer(create(SendHeartbeatResponseSchema, { drain: true }));
    expect(world.events).not.toContain('draining');
    old?.options.onMessage({
      $typeName: 'muster.worker.v1.SessionMessage',
      assignments: [assign(1, credit)],
      cancels: [],
      suspends: [],
      ping: 9n,
    });
    expect(world.started).toEqual([]);
  });

  test('is not the result of LEASE_LOST for one report, which concerns that attempt alone', async () => {
    const { world, credit } = await beaten(2);
    const [a, b] = [assign(1, credit), assign(2, credit)];
    await world.deliver([a, b]);
    await world.end(a);
    await world.acknowledge(ReportResult.LEASE_LOST);
    expect(world.opens).toHaveLength(1);
    await world.end(b, result('fine'));
    expect(world.outcomes).toEqual(['1.1 result', '2.1 result']);
  });

  test('is not followed by another at once when sessions do not last', async () => {
    const { world } = await beaten();
    await world.time.advance(200);
    await world.answerBeats();
    await world.time.advance(5_000);
    await world.lastBeat.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    await world.openNext();
    await world.lastBeat.fail(Code.FAILED_PRECONDITION, 'LEASE_LOST');
    expect(world.opens).toHaveLength(2);
    await world.time.advance(1_000);
    expect(world.opens).toHaveLength(3);
  });
});
