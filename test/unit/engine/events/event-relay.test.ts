/** The relay: what it publishes and deletes, when it polls, and what it does when it can not publish. */
import { describe, expect, it } from 'vitest';
import { uuidFromBytes, uuidToBytes } from '../../../../server/domain/base/uuid.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { EventRelay } from '../../../../server/engine/events/event-relay.ts';
import type { EventBatch, OutboxRow } from '../../../../server/engine/ports/events.ts';
import { eventsOf } from '../../../support/store/published-events.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const START_MS = 1_000;

/** A row with a change of one job in each of the lanes. */
function row(rowId: number, laneIds: readonly number[] = [1]): OutboxRow {
  const changes = laneIds.map((laneId, i) => ({
    jobIds: uuidToBytes(jobId(rowId, i)),
    laneId,
    revision: 1,
    attempt: 0,
    previousState: undefined,
    state: 'READY' as const,
    failure: undefined,
  }));
  return { rowId, eventTimeUs: 5, changes };
}

function jobId(rowId: number, i = 0): string {
  return `00000000-0000-7000-8000-${String(rowId * 10 + i).padStart(12, '0')}`;
}

/** An outbox as in the store, a stream controlled by the test, and lanes that are known after they were loaded. */
function start() {
  const time = new VirtualTime();
  const rows = new Map<number, OutboxRow>();
  const turn: { of: string | undefined } = { of: undefined };
  const published: EventBatch[] = [];
  const takes: number[] = [];
  const drops: number[] = [];
  const outgoing: string[][] = [];
  const logged: string[] = [];
  const fault = { prepare: '', publish: '', isAbsent: false };
  const known = new Map<number, string>();
  const write = (level: string) => (_: unknown, message: string) => void logged.push(`${level}: ${message}`);
  const relay = new EventRelay({
    outbox: {
      async take(relayId) {
        takes.push(time.now() - START_MS);
        if ((turn.of ?? relayId) !== relayId) return undefined;
        turn.of = relayId;
        return [...rows.values()];
      },
      async finish(relayId, rowIds) {
        if (turn.of === relayId) turn.of = undefined;
        for (const rowId of rowIds) rows.delete(rowId);
      },
      async dropOlder(ms) {
        drops.push(ms);
        return drops.length === 1 ? 7 : 0;
      },
    },
    events: {
      get isAbsent() {
        return fault.isAbsent;
      },
      async prepare() {
        if (fault.prepare) throw new Error(fault.prepare);
      },
      async publish(batch) {
        if (fault.publish && batch.batchId.startsWith(fault.publish)) throw new Error('refused');
        published.push(batch);
      },
      read: () => {
        throw new Error('nobody reads');
      },
    },
    lanes: {
      get: (laneId) =>
        known.has(laneId) ? ({ namespace: known.get(laneId), definition: 'd' } as KnownLane) : undefined,
      load: async (laneIds) => {
        for (const laneId of laneIds) known.set(laneId, `namespace-${laneId}`);
      },
    },
    spans: { publishSpans: async (changes) => void outgoing.push(changes.map(({ jobIds }) => uuidFromBytes(jobIds))) },
    clock: time,
    timers: time,
    random: constantRandom(0.5),
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  });
  relay.start();
  const add = (...added: OutboxRow[]) => {
    for (const one of added) rows.set(one.rowId, one);
  };
  return { time, relay, rows, published, takes, drops, outgoing, logged, fault, add, turn };
}

describe('the relay', () => {
  it('publishes and deletes the rows of a flush within a quarter of a second', async () => {
    const { time, relay, rows, published, takes, add } = start();
    await time.advance(1_000);
    add(row(1), row(2));
    relay.wake();
    relay.wake();
    await time.advance(250);
    expect(published.map(({ batchId }) => batchId)).toEqual([`1/5/${jobId(1)}/1`, `2/5/${jobId(2)}/1`]);
    expect(rows.size).toBe(0);
    expect(takes).toEqual([250, 1_250]);
  });

  it('passes what it has published to the span relay, once, and nothing else', async () => {
    const { time, rows, fault, outgoing, add } = start();
    fault.publish = '2/';
    add(row(1, [1, 1]), row(2));
    await time.advance(300);
    expect(outgoing).toEqual([[jobId(1, 0), jobId(1, 1)]]);
    expect([...rows.keys()]).toEqual([2]);
    fault.publish = '';
    await time.advance(60_000);
    expect(outgoing.slice(1)).toEqual([[jobId(2)]]);
  });

  it('makes one batch per namespace of a row, with details from the lanes', async () => {
    const { time, published, add } = start();
    add(row(1, [1, 2, 1]));
    await time.advance(250);
    expect(published).toMatchObject([
      { namespace: 'namespace-1', eventTimeUs: 5 },
      { namespace: 'namespace-2', eventTimeUs: 5 },
    ]);
    const outgoing = published.map((batch) => eventsOf(batch).map((event) => [event.jobId, event.definition]));
    expect(outgoing).toEqual([
      [
        [jobId(1, 0), 'd'],
        [jobId(1, 2), 'd'],
      ],
      [[jobId(1, 1), 'd']],
    ]);
    expect(published[0]?.batchId).not.toBe(published[1]?.batchId);
  });

  it('gives the same events another batch id after a restore of the database, which gives their row its number again', async () => {
    const { time, published, add } = start();
    add(row(1));
    await time.advance(250);
    add({ ...row(1), eventTimeUs: 6 });
    await time.advance(60_000);
    const [first, again] = published;
    expect(again?.changes).toEqual(first?.changes);
    expect(again?.batchId).not.toBe(first?.batchId);
  });

  it('polls at intervals for rows of other replicas, and does nothing else while idle', async () => {
    const { time, takes } = start();
    await time.advance(60_000);
    expect(takes).toEqual([250, 15_250, 30_250, 45_250]);
  });

  it('keeps a row that could not be published, and publishes it again once it may be taken again', async () => {
    const { time, rows, published, fault, logged, add } = start();
    add(row(1), row(2));
    fault.publish = '1/';
    await time.advance(300);
    expect([...rows.keys()]).toEqual([1]);
    fault.publish = '';
    await time.advance(2_000);
    expect(rows.size).toBe(0);
    expect(published.map(({ batchId }) => batchId[0])).toEqual(['2', '1']);
    expect(logged).toEqual([
      'warn: events are not published; they wait in the database',
      'warn: dropped events that could not be published for too long',
      'info: events are published again',
    ]);
  });

  it('takes nothing while the bus is down, tries every two seconds, and drops only rows older than a day', async () => {
    const { time, relay, takes, drops, fault, logged, add } = start();
    fault.prepare = 'down';
    add(row(1));
    await time.advance(5_000);
    relay.wake();
    await time.advance(1_000);
    expect(takes).toEqual([]);
    expect(new Set(drops)).toEqual(new Set([86_400_000]));
    fault.prepare = '';
    await time.advance(2_000);
    expect(takes).toEqual([6_250, 6_500]);
    expect(logged.filter((line) => line.includes('not published'))).toHaveLength(1);
  });

  it('drops rows older than ten minutes when no stream can exist', async () => {
    const { time, drops, fault } = start();
    Object.assign(fault, { prepare: 'no JetStream', isAbsent: true });
    await time.advance(61_000);
    expect(drops).toEqual([600_000, 600_000, 600_000, 600_000]);
  });

  it('continues at once while the outbox is full', async () => {
    const { time, rows, takes, add } = start();
    add(...Array.from({ length: 250 }, (_, i) => row(i)));
    await time.advance(250);
    expect([takes, rows.size]).toEqual([[250, 250], 0]);
  });

  it('leaves the turn to another relay, and polls again soon', async () => {
    const { time, rows, takes, turn, add } = start();
    turn.of = 'another';
    add(row(1));
    await time.advance(1_000);
    expect(takes).toEqual([250, 625, 1_000]);
    turn.of = undefined;
    await time.advance(375);
    expect([rows.size, turn.of]).toEqual([0, undefined]);
  });

  it('stops with the replica', async () => {
    const { time, relay, takes } = start();
    await relay.stop();
    relay.wake();
    await time.advance(60_000);
    expect(takes).toEqual([]);
    expect(time.pending).toBe(0);
  });
});
