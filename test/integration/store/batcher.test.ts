/** Group commit on the real store: one invalid item fails alone, and an unreachable store fails each flush once. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Batcher } from '../../../server/engine/base/batcher.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { SubmitCall, SubmitResult } from '../../../server/engine/ports/submissions.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { systemRandom, systemTimers } from '../../../server/system.ts';
import { startPostgres } from '../../support/databases/postgres.ts';
import { holdOpen, untilWaitsOrOver } from '../../support/databases/postgres-waits.ts';
import { createStore } from '../../support/store/create-store.ts';
import { useStore } from '../../support/store/store-context.ts';
import { bytes, makeCall, makeJob, makeLane, only } from '../../support/store/store-fixtures.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

/** A batcher of submissions that records the size of each attempted flush. */
function makeBatcher(store: Store) {
  const flushes: number[] = [];
  const batcher = new Batcher<SubmitCall, SubmitResult>({
    name: 'submissions',
    flush: (calls) => {
      flushes.push(calls.length);
      return store.submit(calls);
    },
    timers: systemTimers,
    random: systemRandom,
  });
  return { batcher, flushes };
}

const reasonsOf = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? 'stored' : result.reason.reason));

describe.each(['PostgreSQL 18', 'PGlite'] as const)('a flush with one invalid call on %s', (kind) => {
  const context = useStore(kind);
  const smuggle = 'text/plain; \0';
  const bad: [string, (laneId: number) => SubmitCall][] = [
    [
      'a content type with a NUL byte',
      (laneId) => makeCall([makeJob(laneId, { input: { data: bytes('x'), contentType: smuggle } })]),
    ],
    ['a label with a NUL byte', (laneId) => makeCall([makeJob(laneId, { labels: { a: '\0' } })])],
    ['a trace context with a NUL byte', (laneId) => makeCall([makeJob(laneId, { traceparent: '\0' })])],
    [
      'an idempotency key with a NUL byte',
      (laneId) =>
        makeCall([makeJob(laneId, { idempotencyKey: '\0' })], {
          keys: [{ index: 0, key: '\0', contentHash: bytes('h'), policy: 'FAIL' }],
        }),
    ],
    ['a rank that no bigint holds', (laneId) => makeCall([makeJob(laneId, { rank: 1e19 })])],
  ];

  it.each(bad)('stores all other calls: %s', async (_what, makeBad) => {
    const laneId = await makeLane(context);
    const { batcher, flushes } = makeBatcher(context.store);
    const calls = Array.from({ length: 64 }, (_, i) =>
      i === 41
        ? makeBad(laneId)
        : makeCall([makeJob(laneId)], i % 2 ? { requestId: randomUUID(), bodyHash: bytes('b') } : {}),
    );
    const results = await Promise.allSettled(calls.map((call) => batcher.add(call)));
    expect(reasonsOf(results)).toEqual(calls.map((_, i) => (i === 41 ? 'INTERNAL' : 'stored')));
    const ids = calls.flatMap((call) => call.jobs.map((job) => job.jobId));
    const found = await context.store.findJobs(ids);
    expect(found.sort()).toEqual(ids.filter((_, i) => i !== 41).sort());
    // The first call was flushed at once, the others together; halving 63 down to the invalid one takes six steps of
    // two.
    expect(flushes.slice(0, 2)).toEqual([1, 63]);
    expect(flushes.length).toBeLessThanOrEqual(2 + 2 * 6);
  });
});

describe('a flush while PostgreSQL is stopped', () => {
  async function start() {
    const server = await startPostgres({ settings: { fsync: 'off' } });
    cleanUps.push(() => server.stop());
    const database = openPostgres({ url: await server.createDatabase() });
    cleanUps.push(() => database.close());
    await migrate(database);
    const store = createStore(database);
    const laneId = await store.ensureLane({
      namespace: 'default',
      queue: 'q',
      definition: 'd',
      definitionVersion: 1,
      demands: '',
      suspect: false,
    });
    return { server, database, store, laneId, ...makeBatcher(store) };
  }
  const makeCalls = (laneId: number, count: number) => Array.from({ length: count }, () => makeCall([makeJob(laneId)]));

  it('fails each call with STORE_UNAVAILABLE after one try', async () => {
    const { server, batcher, flushes, laneId } = await start();
    await server.stop();
    const results = await Promise.allSettled(makeCalls(laneId, 30).map((call) => batcher.add(call)));
    expect(new Set(reasonsOf(results))).toEqual(new Set(['STORE_UNAVAILABLE']));
    expect(flushes).toEqual([1, 29]);
  });

  it('fails the same way when PostgreSQL stops during the flush', async () => {
    const { server, database, batcher, flushes, laneId } = await start();
    const lock = await holdOpen(database, (session) => session.run({ name: '', text: 'LOCK TABLE job_runs' }, []));
    const adding = Promise.allSettled(makeCalls(laneId, 30).map((call) => batcher.add(call)));
    expect(await untilWaitsOrOver(database, adding)).toBe('waits');
    await server.stop();
    const results = await adding;
    await expect(lock.commit()).rejects.toThrow();
    expect(new Set(reasonsOf(results))).toEqual(new Set(['STORE_UNAVAILABLE']));
    expect(flushes).toEqual([1, 29]);
    expect(only([...new Set(results.map((result) => result.status))])).toBe('rejected');
  });
});
