/** The life of a worker's session: opening, heartbeats, the bus, draining, closing. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { Code } from '../../../sdk/typescript/src/error.ts';
import {
  CloseSessionResponseSchema,
  SendHeartbeatResponseSchema,
} from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { assign, CoreWorld } from './support/core-world.ts';

describe('the opening of a session', () => {
  test('repeats its request id for 5 s, and uses a new one after that', async () => {
    const world = new CoreWorld();
    world.core.start();
    for (let i = 0; i < 9; i++) {
      await world.opens.at(-1)?.fail(Code.UNAVAILABLE);
      await world.time.advance(2_000);
    }
    const ids = world.opens.map(({ request }) => request.requestId);
    const firstOf = (id: string | undefined) =>
      world.opens.find(({ request }) => request.requestId === id)?.sentAt ?? 0;
    for (const { request, sentAt } of world.opens)
      expect(sentAt - firstOf(request.requestId)).toBeLessThanOrEqual(5_000);
    expect(new Set(ids).size).toBeGreaterThan(1);
    expect(ids[1]).toBe(ids[0]);
  });

  test('counts the lease from the first sending when a repeat finds the session', async () => {
    const world = new CoreWorld();
    world.core.start();
    const firstSent = world.time.now();
    await world.time.advance(4_000);
    await world.opens[0]?.fail(Code.UNAVAILABLE);
    await world.time.advance(200);
    await world.openNext();
    await world.time.advance(13_000 - (world.time.now() - firstSent) - 1);
    expect(world.events).not.toContain('fenced');
    await world.time.advance(1);
    expect(world.events).toContain('fenced');
  });

  test('ends the worker after a permanent refusal', async () => {
    const world = new CoreWorld();
    world.core.start();
    await world.opens[0]?.fail(Code.FAILED_PRECONDITION, 'PROTOCOL_VERSION_UNSUPPORTED');
    await world.time.advance(10_000);
    expect(world.events).toEqual(['failed']);
    expect(world.opens).toHaveLength(1);
    expect(world.time.pending).toBe(0);
  });

  test('is repeated when an overloaded server asks for it', async () => {
    const world = new CoreWorld();
    world.core.start();
    await world.opens[0]?.fail(Code.RESOURCE_EXHAUSTED);
    await world.time.advance(100);
    expect(world.opens).toHaveLength(2);
  });
});

describe('a heartbeat', () => {
  test('is sent at once after opening, when the bus is connected, and at the first ping', async () => {
    const world = new CoreWorld();
    await world.open();
    expect(world.beats).toHaveLength(1);
    await world.connect(true);
    expect(world.beats).toHaveLength(2);
    await world.ping();
    expect(world.beats).toHaveLength(3);
    await world.ping();
    expect(world.beats).toHaveLength(3);
    expect(world.events).toEqual(['opened']);
    await world.answerBeats();
    expect(world.events).toEqual(['opened', 'ready']);
  });

  test('is sent at each interval, early by at most a tenth, with the highest ping received', async () => {
    let share = 0;
    const world = new CoreWorld({ random: () => share });
    await world.ready();
    share = 0.5;
    const first = world.lastBeat.sentAt;
    await world.advanceBeating(5_000);
    const second = world.lastBeat.sentAt;
    expect(second - first).toBe(5_000);
    await world.deliver([], { ping: 9n });
    await world.deliver([], { ping: 4n });
    await world.advanceBeating(5_000);
    expect(world.lastBeat.sentAt - second).toBe(4_750);
    expect(world.lastBeat.request.pingEcho).toBe(9n);
  });

  test('does not wait for the answer to the previous one', async () => {
    const world = new CoreWorld();
    await world.ready();
    const before = world.beats.length;
    await world.time.advance(10_000);
    expect(world.beats).toHaveLength(before + 2);
  });

  test('does not pile up when nobody answers', async () => {
    const world = new CoreWorld();
    await world.ready();
    const before = world.beats.length;
    await world.time.advance(120_000);
    expect(world.beats).toHaveLength(before + 4);
  });

  test('is sent sooner when the server asks for it', async () => {
    const world = new CoreWorld();
    await world.ready();
    const before = world.beats.length;
    await world.time.advance(5_000);
    await world.answerBeats(create(SendHeartbeatResponseSchema, { nextBeat: durationFromMs(500) }));
    await world.time.advance(500);
    expect(world.beats).toHaveLength(before + 2);
  });

  test('follows a failed one within a second', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.time.advance(5_000);
    const before = world.beats.length;
    await world.lastBeat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    expect(world.beats).toHaveLength(before + 1);
  });
});

describe('the bus', () => {
  test('is reconnected when the server says that the session is deaf', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(1);
  });

  test('is connected with the newest credentials', async () => {
    const world = new CoreWorld();
    await world.ready();
    const [bus] = world.buses;
    expect(bus?.options.subject).toBe('session.1');
    expect(bus?.options.urls()).toEqual(['nats://bus']);
    expect(bus?.options.credentials()).toBeUndefined();
    await world.time.advance(5_000);
    const natsCredentials = { $typeName: 'muster.worker.v1.NatsCredentials' as const, jwt: 'a', seed: 'b' };
    await world.answerBeats({ natsCredentials });
    expect(bus?.options.credentials()).toBe(natsCredentials);
  });
});

describe('draining', () => {
  test('grants nothing, voids credits, releases attempts that have not started, finishes the rest, then closes', async () => {
    const world = new CoreWorld({ slots: 2 });
    const credit = await world.ready();
    const [runs, early] = [assign(1, credit), assign(2, credit)];
    await world.deliver([runs]);
    world.entersAtOnce = false;
    await world.deliver([early]);
    world.core.drain();
    await world.time.advance(100);
    expect(world.outcomes).toEqual(['2.1 released DRAIN']);
    expect(world.lastBeat.request).toMatchObject({ draining: true, credits: [] });
    await world.deliver([assign(3, credit)]);
    await world.acknowledge();
    await world.acknowledge();
    expect(world.outcomes.at(-1)).toBe('3.1 released DRAIN');
    expect(world.closes).toHaveLength(0);
    await world.end(runs);
    expect(world.lastReport.request.credits).toEqual([]);
    expect(world.closes).toHaveLength(0);
    await world.acknowledge();
    expect(world.closes).toHaveLength(1);
    expect(world.stops).toEqual([]);
    await world.closes[0]?.answer(create(CloseSessionResponseSchema));
    expect(world.events.slice(-2)).toEqual(['draining', 'closed']);
    expect(world.buses[0]?.closed).toBe(true);
    expect(world.time.pending).toBe(0);
  });

  test('reports voided credits', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.ready();
    const busy = assign(1, world.lastCredit);
    await world.deliver([busy]);
    world.core.drain();
    await world.time.advance(100);
    expect(world.voided).toEqual([1]);
  });

  test('may be requested by the server', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.time.advance(5_000);
    await world.answerBeats({ drain: true });
    expect(world.closes).toHaveLength(1);
  });

  test('ends at once before a session is open', async () => {
    const world = new CoreWorld();
    world.core.start();
    world.core.drain();
    expect(world.events).toEqual(['draining', 'closed']);
    await world.openNext();
    expect(world.beats).toHaveLength(0);
    expect(world.time.pending).toBe(0);
  });
});

describe('closing', () => {
  test('signals handlers, closes the session, and sends nothing more', async () => {
    const world = new CoreWorld();
    const credit = await world.ready();
    const job = assign(1, credit);
    await world.deliver([job]);
    world.core.close();
    world.core.close();
    expect(world.stops).toEqual([{ slot: world.slotOf(job), reason: 'shutdown' }]);
    expect(world.closes.map(({ request }) => request.sessionId)).toEqual([new Uint8Array(16).fill(1)]);
    await world.closes[0]?.fail(Code.UNAVAILABLE);
    expect(world.events.at(-1)).toBe('closed');
    await world.end(job);
    await world.time.advance(60_000);
    expect(world.reports).toHaveLength(0);
    expect(world.time.pending).toBe(0);
  });
});
