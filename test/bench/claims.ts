/** The cost of a claim under key limits, by numbers of waiting jobs and of keys: statements alone, no replica. */
import { createHash, randomUUID } from 'node:crypto';
import { composeStore } from '../../server/engine/base/composed-store.ts';
import type { Store } from '../../server/engine/ports/store.ts';
import type { NewJob } from '../../server/engine/ports/submissions.ts';
import type { Database } from '../../server/store/driver/database.ts';
import { openPglite } from '../../server/store/driver/pglite.ts';
import { openPostgres } from '../../server/store/driver/postgres.ts';
import { migrate } from '../../server/store/migrate.ts';
import { createStatements } from '../../server/store/store.ts';
import type { StoreContext } from '../support/store/store-context.ts';
import { makeCall, makeJob, openWorker } from '../support/store/store-fixtures.ts';
import { claimLimited, limitedLanes } from '../support/store/store-limits.ts';
import { latencyOf } from './measures.ts';

const PLACES = 100;
const CLAIMS = 200;
const CASES = [
  { waiting: 1_000, keys: 1 },
  { waiting: 1_000, keys: 1_000 },
  { waiting: 1_000_000, keys: 1 },
  { waiting: 1_000_000, keys: 100 },
  { waiting: 1_000_000, keys: 10_000 },
];

function keyId(n: number): string {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

async function store(target: Store, laneId: number, keys: number, from: number, count: number): Promise<void> {
  const jobs: NewJob[] = Array.from({ length: count }, (_, i) =>
    makeJob(laneId, { rank: from + i, limitId: keyId((from + i) % keys), limitKey: String((from + i) % keys) }),
  );
  await target.submit([makeCall(jobs)]);
}

/** The number of waiting jobs is constant: claimed jobs end, and as many are stored again. */
async function measureCase(context: StoreContext, waiting: number, keys: number): Promise<number[]> {
  const keyLimit = { key: '', maxConcurrency: 2 * PLACES, policy: 'WAIT' } as const;
  const { laneId } = await limitedLanes(context, { maxConcurrency: 10 * PLACES, keyLimit });
  for (let from = 0; from < waiting; from += 1_000) await store(context.store, laneId, keys, from, 1_000);
  const { sessionId } = await openWorker(context);
  await context.database.run({ name: '', text: 'VACUUM ANALYZE job_runs' }, []);
  const times: number[] = [];
  let cursor = 0;
  for (let claim = 0; claim < CLAIMS; claim++) {
    const start = performance.now();
    const { jobs } = await claimLimited(context, laneId, sessionId, PLACES, cursor);
    times.push(performance.now() - start);
    if (jobs.length !== PLACES) throw new Error(`a claim of ${PLACES} got ${jobs.length} jobs`);
    cursor = jobs.at(-1)?.rank ?? cursor;
    const results = jobs.map(({ jobId, attempt, input }) => ({ jobId, attempt, sessionId, result: input }));
    await context.store.complete(results);
    await store(context.store, laneId, keys, waiting + claim * PLACES, PLACES);
    if (claim % 20 === 0) while (await context.store.queues.foldCounts());
  }
  return times;
}

async function open(url: string | undefined): Promise<Database> {
  return url ? openPostgres({ url }) : openPglite({ dataDir: `memory://${randomUUID()}` });
}

export async function claimCosts(parts: {
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}): Promise<void> {
  for (const { waiting, keys } of CASES) {
    const database = await open(await parts.createDatabase?.());
    await migrate(database);
    const context = { database, store: composeStore(createStatements(database)) } as StoreContext;
    await context.store.ensurePartitions();
    const times = await measureCase(context, waiting, keys);
    parts.note(`claim of ${PLACES}, ${waiting} waiting of ${keys} keys, ms`, latencyOf(times.slice(CLAIMS / 10)));
    await context.store.close();
  }
}
