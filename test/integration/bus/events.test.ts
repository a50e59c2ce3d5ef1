/** The event stream on a real nats-server: stored once, kept over kills, bounded, read from any position. */
import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { eventStreamName } from '../../../server/bus/subjects.ts';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { uuidToBytes } from '../../../server/domain/base/uuid.ts';
import type { EventBatch, JobChange, PublishedEvent } from '../../../server/engine/ports/events.ts';
import type { EventPage, EventRange } from '../../../server/engine/ports/ports.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { eventsOf } from '../../support/store/published-events.ts';
import { accessOf, connectWorker, until } from './fixtures.ts';

let nats: ScratchNats;
let bus: ConnectedBus;

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(nats.busOptions());
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
});

/** Each test has a namespace of its own. */
let namespace = '';
afterEach(() => {
  namespace = '';
});

function batch(count = 1, changes: Partial<JobChange> = {}): EventBatch {
  namespace ||= `n-${randomUUID().slice(0, 8)}`;
  const jobIds = Buffer.concat(Array.from({ length: count }, () => uuidToBytes(randomUUID())));
  const made = {
    definition: 'd',
    revision: 1,
    attempt: 0,
    previousState: undefined,
    state: 'READY',
    failure: undefined,
  } as const;
  const eventTimeUs = 1_772_366_400_000_000;
  return { batchId: randomUUID(), namespace, eventTimeUs, changes: [{ ...made, ...changes, jobIds }] };
}

async function read(range: Partial<EventRange> = {}): Promise<EventPage[]> {
  const pages: EventPage[] = [];
  const gone = new AbortController();
  for await (const page of bus.events.read({ namespace, after: 0, keptOnly: true, ...range }, gone.signal))
    if (page.events.length > 0) pages.push(page);
  expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  return pages;
}

const idsOf = (events: readonly PublishedEvent[]) => events.map((event) => event.jobId);

async function withManager<T>(work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>): Promise<T> {
  const connection = await connectWith(nats.credentialsFile);
  try {
    return await work(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

async function connectWith(credentialsFile: string, inboxPrefix = '_INBOX') {
  const authenticator = credsAuthenticator(await readFile(credentialsFile));
  return connect({ servers: nats.url, authenticator, inboxPrefix });
}

describe('the event stream', () => {
  it('is created at the first use, bounded in bytes, age and messages', async () => {
    await bus.events.prepare();
    const { config } = await withManager((manager) => manager.streams.info(eventStreamName));
    expect(config).toMatchObject({ max_bytes: 256 << 20, max_msgs: 1_000_000, max_age: 86_400e9, discard: 'old' });
    expect(bus.events.isAbsent).toBe(false);
  });

  it('leaves an existing stream as it is', async () => {
    await withManager((manager) => manager.streams.update(eventStreamName, { max_msgs: 2_000_000 }));
    const another = await connectBus(nats.busOptions());
    await another.events.publish(batch());
    await another.close();
    const { config } = await withManager((manager) => manager.streams.info(eventStreamName));
    expect(config.max_msgs).toBe(2_000_000);
  });

  it('stores a batch once, however often it is published', async () => {
    const one = batch(3);
    await Promise.all([bus.events.publish(one), bus.events.publish(one)]);
    await bus.events.publish(one);
    expect((await read()).map(({ events }) => events)).toEqual([eventsOf(one)]);
  });

  it('splits batches that are larger than a message', async () => {
    const failure = { ...systemFailure('APPLICATION', 'Oops', 'ä'.repeat(1_024)), exitCode: undefined };
    const large = batch(1_500, { state: 'FAILED', failure });
    await bus.events.publish(large);
    const pages = await read();
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ events }) => events)).toEqual(eventsOf(large));
  });

  it('is read from a position to its end', async () => {
    const batches = [batch(), batch(2), batch()];
    for (const one of batches) await bus.events.publish(one);
    const pages = await read();
    expect(pages.map(({ events }) => events)).toEqual(batches.map(eventsOf));
    expect(await read({ after: pages[0]?.position as number })).toEqual(pages.slice(1));
    expect(await read({ after: pages[2]?.position as number })).toEqual([]);
  });

  it('refuses positions that are not kept', async () => {
    await bus.events.publish(batch());
    await expect(read({ after: 1_000_000 })).rejects.toMatchObject({ reason: 'EVENT_POSITION_GONE' });
    await withManager((manager) => manager.streams.purge(eventStreamName));
    await expect(read({ after: 1 })).rejects.toMatchObject({
      reason: 'EVENT_POSITION_GONE',
      message: expect.stringContaining('begin at 0'),
    });
    expect(await read()).toEqual([]);
  });

  it('delivers future events until its reader leaves', async () => {
    const first = batch();
    await bus.events.publish(first);
    const gone = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      const range = { namespace: first.namespace, after: undefined, keptOnly: false };
      for await (const { events } of bus.events.read(range, gone.signal)) seen.push(...idsOf(events));
    })();
    const later = batch();
    // A publisher without an established reader may lose events, so it repeats them.
    await until(async () => {
      await bus.events.publish({ ...batch(), namespace: first.namespace });
      return seen.length > 0;
    }, 'the reader is there');
    await bus.events.publish(later);
    await until(() => seen.includes(idsOf(eventsOf(later))[0] as string), 'it gets later ones');
    expect(seen).not.toContain(idsOf(eventsOf(first))[0]);
    gone.abort();
    await reading;
  });

  it('ends its readers when it was made anew, and is made anew by the next event', async () => {
    const before = batch(3);
    await bus.events.publish(before);
    const seen: string[] = [];
    const reading = (async () => {
      const range = { namespace: before.namespace, after: 0, keptOnly: false };
      for await (const { events } of bus.events.read(range, new AbortController().signal)) seen.push(...idsOf(events));
    })();
    const failure = reading.then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => seen.length === 3, 'the reader is there');
    const [old] = await read();
    await withManager((manager) => manager.streams.delete(eventStreamName));
    const after = { ...batch(), namespace: before.namespace };
    const publish = () =>
      bus.events.publish(after).then(
        () => true,
        () => false,
      );
    await until(publish, 'the stream is there');
    expect(await failure).toMatchObject({
      reason: expect.stringMatching(/^EVENT(_POSITION_GONE|S_UNAVAILABLE)$/),
    });
    expect((await read()).flatMap(({ events }) => idsOf(events))).toEqual(idsOf(eventsOf(after)));
    // As many as the old stream had, so that the new one has had their sequences, too.
    for (let count = 0; count < (old?.position ?? 0) && count < 100; count++) await bus.events.publish(batch());
    await expect(read({ after: old?.position as number })).rejects.toMatchObject({ reason: 'EVENT_POSITION_GONE' });
  });

  it('keeps stored events when the server is killed, and continues by itself', async () => {
    const before = batch(5);
    await bus.events.publish(before);
    process.kill(nats.server.pid as number, 'SIGKILL');
    const after = batch(5);
    await until(
      () =>
        bus.events.publish(after).then(
          () => true,
          () => false,
        ),
      'the bus is back',
    );
    // Its answer may have been lost; then it is published again, and stored once.
    await bus.events.publish(before);
    expect((await read()).flatMap(({ events }) => idsOf(events))).toEqual([
      ...idsOf(eventsOf(before)),
      ...idsOf(eventsOf(after)),
    ]);
  });

  it('is read with the credentials next to the server, which permit nothing else', async () => {
    const one = batch(2);
    await bus.events.publish(one);
    const connection = await connectWith(join(nats.folder, 'nats', 'events.creds'), '_INBOX_EVENTS');
    try {
      const manager = await jetstreamManager(connection);
      const config = {
        durable_name: 'reader',
        ack_policy: 'explicit',
        filter_subject: `muster.v1.events.${namespace}`,
      } as const;
      await manager.consumers.add(eventStreamName, config);
      const consumer = await jetstream(connection).consumers.get(eventStreamName, 'reader');
      const message = await consumer.next();
      expect(JSON.parse(message?.string() ?? '')).toMatchObject(eventsOf(one).map(({ jobId }) => ({ subject: jobId })));
      expect(message?.headers?.get('content-type')).toBe('application/cloudevents-batch+json');
      await message?.ackAck();
      await expect(manager.streams.purge(eventStreamName)).rejects.toThrow(/permission/i);
      for (const subject of ['muster.v1.session.*', '_INBOX.>']) {
        const others = connection.subscribe(subject);
        await expect(others[Symbol.asyncIterator]().next()).rejects.toThrow(/permission/i);
      }
    } finally {
      await connection.close();
    }
  });

  it('is not accessible to worker sessions', async () => {
    const worker = await connectWorker(accessOf(nats, randomUUID()));
    await worker.listen('muster.v1.events.*');
    await until(() => worker.statuses.some((status) => status.startsWith('error')), 'the server refuses it');
    await worker.connection.close();
  });
});
