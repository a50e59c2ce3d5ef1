/** How a session uses its connection to the bus. */
import { describe, expect, test } from 'vitest';
import { HEARING_TIME } from '../../../sdk/typescript/src/worker/core/base/limits.ts';
import { CoreWorld } from './support/core-world.ts';

describe('a ping before the confirmation of the subscription', () => {
  test('grants credits that stay valid', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.open();
    await world.ping();
    expect(world.lastBeat.request.credits).toMatchObject([{ creditId: 1n, slots: 2 }]);
    await world.connect(true);
    await world.answerBeats();
    await world.ping();
    await world.answerBeats();
    expect(world.voided).toEqual([]);
    expect(world.credits).toHaveLength(1);
  });

  test('grants no credits that outlive the connection', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.open();
    await world.ping();
    await world.answerBeats();
    await world.connect(false);
    await world.advanceBeating(600, 100);
    expect(world.voided).toEqual([1]);
  });
});

describe('a session that is asked to reconnect', () => {
  test('leaves a connection alone that is being established', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.connect(false);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(0);
  });

  test('gives a new connection time to deliver, though the answer to its first heartbeat still asks', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.connect(false);
    await world.time.advance(5_000);
    await world.connect(true);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(0);
  });

  test('drops a connection that delivers nothing in that time', async () => {
    const world = new CoreWorld();
    await world.open();
    await world.connect(true);
    await world.time.advance(HEARING_TIME - 1);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(0);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(1);
  });

  test('ends the attempts at a former address', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.connect(false);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true, natsUrls: ['nats://moved'] });
    expect(world.buses[0]?.reconnects).toBe(1);
    expect(world.buses[0]?.options.urls()).toEqual(['nats://moved']);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true, natsUrls: ['nats://moved'] });
    expect(world.buses[0]?.reconnects).toBe(1);
  });

  test('gives a new connection its time, though the answer has another address', async () => {
    const world = new CoreWorld();
    await world.open();
    await world.connect(true);
    await world.answerBeats({ reconnectBus: true, natsUrls: ['nats://moved'] });
    expect(world.buses[0]?.reconnects).toBe(0);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true, natsUrls: ['nats://moved'] });
    expect(world.buses[0]?.reconnects).toBe(1);
    expect(world.buses[0]?.options.urls()).toEqual(['nats://moved']);
  });

  /** Each connection delivers only after the answer to its first heartbeat. */
  test('receives from a slow bus, however often it is asked', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true });
    for (let round = 0; round < 3 && world.buses[0]?.reconnects !== round; round++) {
      await world.connect(false);
      await world.time.advance(300);
      await world.connect(true);
      await world.answerBeats({ reconnectBus: true });
    }
    expect(world.buses[0]?.reconnects).toBe(1);
    await world.ping();
    expect(world.lastBeat.request).toMatchObject({ pingEcho: 2n, credits: [{ slots: 2 }] });
  });
});
