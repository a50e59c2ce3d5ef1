/** What the session makes of its connection to the bus. */
import { describe, expect, test } from 'vitest';
import { HEARING_TIME } from '../../../sdk/typescript/src/worker/core/limits.ts';
import { CoreWorld } from './support/core-world.ts';

describe('a ping that comes before the word that the subscription is in force', () => {
  test('grants credits that stay good', async () => {
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

  test('grants none that outlive the connection', async () => {
    const world = new CoreWorld({ slots: 2 });
    await world.open();
    await world.ping();
    await world.answerBeats();
    await world.connect(false);
    await world.advanceBeating(600, 100);
    expect(world.voided).toEqual([1]);
  });
});

describe('a session that is told to connect anew', () => {
  test('leaves a connection alone that is being made', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.connect(false);
    await world.time.advance(5_000);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(0);
  });

  test('gives a new connection time to be heard, though the answer to its first beat still says so', async () => {
    const world = new CoreWorld();
    await world.ready();
    await world.connect(false);
    await world.time.advance(5_000);
    await world.connect(true);
    await world.answerBeats({ reconnectBus: true });
    expect(world.buses[0]?.reconnects).toBe(0);
  });

  test('gives up one that brings nothing in that time', async () => {
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

  /** Each connection is heard only after the answer to its first beat has come. */
  test('gets to hear a slow bus, however often it is told', async () => {
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
