/** Retention drops whole days at once and deletes the rest in pages, and never touches open or recent jobs. */
import { beforeEach, describe, expect, it } from 'vitest';
import { storeKinds } from '../../../support/databases/databases.ts';
import { holdOpen } from '../../../support/databases/postgres-waits.ts';
import { createStore } from '../../../support/store/create-store.ts';
import { moveClock } from '../../../support/store/store-clock.ts';
import { emptyTables, type Row, sql, useStore } from '../../../support/store/store-context.ts';
import {
  bytes,
  claimMany,
  claimOf,
  completionOf,
  jobsOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  only,
  openWorker,
  payload,
  readEverything,
} from '../../../support/store/store-fixtures.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe.each(storeKinds)('retention on %s', (kind) => {
  const context = useStore(kind);
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;

  beforeEach(async () => {
    await moveClock(context, 0);
    await emptyTables(context);
    await sql(context, 'TRUNCATE retentions, request_ids, idempotency_keys');
    await context.store.ensurePartitions();
  });

  const keep = (definition: string, ms: number, namespace = 'default') =>
    sql(context, `INSERT INTO retentions VALUES ('${namespace}', '${definition}', ${ms})`);

  const nameOf = (dayMs: number) => new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '');

  /** Creates the day partitions of that time; jobs submitted then have ids of it. */
  async function rewindTo(ms: number): Promise<void> {
    await moveClock(context, ms - Date.now());
    await context.store.ensurePartitions();
  }

  async function submitAt(ms: number, laneId: number, count: number): Promise<string[]> {
    const jobs = Array.from({ length: count }, (_, rank) => makeJob(laneId, { jobId: newJobId(ms), rank }));
    for (let i = 0; i < count; i += 1_000) await context.store.submit([makeCall(jobs.slice(i, i + 1_000))]);
    return jobs.map((job) => job.jobId);
  }

  async function finish(laneId: number, count: number): Promise<string[]> {
    const { sessionId } = await openWorker(context);
    const ended: string[] = [];
    while (ended.length < count) {
      const claimed = await jobsOf(
        context.store.claim(claimOf([laneId], sessionId, Math.min(1_000, count - ended.length))),
      );
      ended.push(...(await context.store.complete(claimed.map((job) => completionOf(job)))).map((key) => key.jobId));
    }
    return ended;
  }

  async function clearAll() {
    const sum = { days: 0, jobs: 0, rows: 0 };
    for (let more = true; more; ) {
      const cleared = await context.store.clearExpired();
      for (const key of ['days', 'jobs', 'rows'] as const) sum[key] += cleared[key];
      more = cleared.more;
    }
    return sum;
  }

  const stateOf = async (jobId: string) => (await context.store.readJob('default', jobId))?.state;
  const isThere = async (table: string) =>
    only(await sql(context, `SELECT to_regclass('muster.${table}') IS NOT NULL AS there`)).there as boolean;
  const countOf = async (table: string) =>
    only(await sql(context, `SELECT count(*)::int AS n FROM ${table}`)).n as number;

  describe('a whole day', () => {
    it('is dropped with the jobs that ended in time; open and recently ended jobs stay usable', async () => {
      const day = today - 20 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const laneId = await makeLane(context);
      const ids = await submitAt(day + HOUR_MS, laneId, 6);
      const gone = await finish(laneId, 3);
      const { sessionId } = await openWorker(context, { leaseMs: 100 * DAY_MS });
      const held = only(await claimMany(context, laneId, sessionId, 1));
      const half = { ...keyOf(held), sequence: 1, fraction: 0.5, message: '', checkpoint: payload('half') };
      await context.store.saveProgress([half], 0);
      await rewindTo(Date.now() - 6 * DAY_MS);
      const [late = ''] = await finish(laneId, 1);
      const ready = ids.find((id) => ![...gone, held.jobId, late].includes(id)) as string;
      await moveClock(context, 0);
      const before = await Promise.all([held.jobId, late, ready].map((id) => readEverything(context, id)));

      expect(await clearAll()).toMatchObject({ days: expect.any(Number), jobs: 0 });

      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(false);
      expect(await isThere(`job_outcomes_${nameOf(day)}`)).toBe(false);
      expect(await Promise.all(gone.map(stateOf))).toEqual([undefined, undefined, undefined]);
      expect(await Promise.all([held.jobId, late, ready].map((id) => readEverything(context, id)))).toEqual(before);
      expect(await context.store.complete([completionOf(held)])).toMatchObject([keyOf(held)]);
      expect(await finish(laneId, 1)).toEqual([ready]);
      expect(await Promise.all([held.jobId, late, ready].map(stateOf))).toEqual(Array(3).fill('SUCCEEDED'));
      // A clock of the database that is ahead of the replica's makes nothing older: it has stepped.
      await moveClock(context, 400 * DAY_MS);
      expect(await context.store.clearExpired({ latestUs: Date.now() * 1000 })).toMatchObject({ days: 0, jobs: 0 });
      // A move of the clock lets them be deleted in their turn.
      await moveClock(context, 2 * DAY_MS);
      expect(await clearAll()).toMatchObject({ jobs: 1 });
      await moveClock(context, 8 * DAY_MS);
      expect(await clearAll()).toMatchObject({ jobs: 2 });
      expect(await countOf('jobs')).toBe(0);
      expect(await countOf('job_outcomes')).toBe(0);
    });

    it('is kept while anything in it is kept', async () => {
      const day = today - 30 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const [short, long] = [await makeLane(context), await makeLane(context, { definition: 'long' })];
      await submitAt(day + HOUR_MS, short, 2);
      const [kept = ''] = await submitAt(day + HOUR_MS, long, 1);
      await finish(short, 2);
      await finish(long, 1);
      await keep('long', 60 * DAY_MS);
      await moveClock(context, 0);
      expect(await clearAll()).toMatchObject({ days: 0, jobs: 2 });
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(true);
      expect(await stateOf(kept)).toBe('SUCCEEDED');
      await sql(context, 'DELETE FROM retentions');
      await clearAll();
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(false);
      expect(await stateOf(kept)).toBeUndefined();
    });

    it('is deleted in pages instead if many of its jobs are open', async () => {
      const day = today - 40 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const [open, ended] = [await makeLane(context), await makeLane(context)];
      await submitAt(day + HOUR_MS, open, 1_001);
      await submitAt(day + HOUR_MS, ended, 1_500);
      await finish(ended, 1_500);
      await moveClock(context, 0);
      expect(await clearAll()).toMatchObject({ jobs: 1_500 });
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(true);
      expect(await countOf('jobs')).toBe(1_001);
      await rewindTo(day + 2 * HOUR_MS);
      await finish(open, 1);
      await moveClock(context, 0);
      await clearAll();
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(false);
      expect(await countOf('jobs')).toBe(1_000);
      expect(await finish(open, 1_000)).toHaveLength(1_000);
    });

    it('is left as it was if the last step fails', async () => {
      const day = today - 50 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const laneId = await makeLane(context);
      const ids = await submitAt(day + HOUR_MS, laneId, 3);
      await finish(laneId, 2);
      await moveClock(context, 0);
      const before = await Promise.all(ids.map((id) => readEverything(context, id)));
      // A view prevents the drop of the table that it reads; all earlier steps have been done by then.
      await sql(context, `CREATE VIEW in_the_way AS SELECT * FROM job_outcomes_${nameOf(day)}`);
      await expect(clearAll()).rejects.toMatchObject({ code: '2BP01' });
      expect(await Promise.all(ids.map((id) => readEverything(context, id)))).toEqual(before);
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(true);
      await sql(context, 'DROP VIEW in_the_way');
      await clearAll();
      expect(await countOf('jobs')).toBe(1);
    });

    it.skipIf(kind === 'PGlite')('waits only a moment for a long reader, and is dropped after it', async () => {
      const day = today - 60 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const laneId = await makeLane(context);
      await submitAt(day + HOUR_MS, laneId, 1);
      await finish(laneId, 1);
      await moveClock(context, 0);
      const reader = await holdOpen(context.database, (session) =>
        session.run({ name: '', text: 'SELECT FROM jobs LIMIT 1' }, []),
      );
      const start = performance.now();
      expect(await context.store.clearExpired()).toMatchObject({ days: 0, more: false });
      expect(performance.now() - start).toBeLessThan(5_000);
      await reader.commit();
      expect((await clearAll()).days).toBeGreaterThan(0);
      expect(await isThere(`jobs_${nameOf(day)}`)).toBe(false);
    });

    it.skipIf(kind === 'PGlite')('is dropped while its jobs end and others arrive, and none is lost', async () => {
      const day = today - 70 * DAY_MS;
      await rewindTo(day + HOUR_MS);
      const [old, fresh] = [await makeLane(context), await makeLane(context)];
      await submitAt(day + HOUR_MS, old, 1_800);
      await finish(old, 900);
      await moveClock(context, 0);
      const other = createStore(context.database);
      let clearing = true;
      let submitted = 0;
      const work = async (laneId: number) => {
        const { sessionId } = await openWorker(context);
        for (let ended = 0; clearing || ended > 0; ) {
          if (laneId === fresh && clearing) submitted += (await submitAt(Date.now(), fresh, 20)).length;
          const claimed = await jobsOf(context.store.claim(claimOf([laneId], sessionId, 20)));
          ended = (await context.store.complete(claimed.map((job) => completionOf(job)))).length;
          expect(ended).toBe(claimed.length);
        }
      };
      const workers = [work(old), work(old), work(fresh)];
      while (await isThere(`jobs_${nameOf(day)}`))
        await Promise.all([context.store.clearExpired(), other.clearExpired()]);
      clearing = false;
      await Promise.all(workers);
      // The 900 jobs that were open still exist with their outcomes, as do the new ones.
      expect(await countOf('jobs')).toBe(900 + submitted);
      expect(await countOf('job_outcomes')).toBe(900 + submitted);
      expect(await countOf('job_runs')).toBe(0);
    });
  });

  describe('a shorter retention', () => {
    it('counts from the end of the job, works in pages, and deletes attempts too', async () => {
      const laneId = await makeLane(context, { definition: 'short' });
      await keep('short', 2 * HOUR_MS);
      await moveClock(context, -3 * HOUR_MS);
      const made = Date.now() - 3 * HOUR_MS;
      const ids = await submitAt(made, laneId, 2_500);
      const gone = await finish(laneId, 2_100);
      await sql(
        context,
        `INSERT INTO job_attempts SELECT unnest('{${[gone[0], ids.at(-1)]}}'::uuid[]), 1, gen_random_uuid(), 2, false, muster_now(), muster_now()`,
      );
      await sql(
        context,
        `INSERT INTO attempt_logs SELECT unnest('{${[gone[0], ids.at(-1)]}}'::uuid[]), 1, 1, 1, '\\x00'`,
      );
      await moveClock(context, -HOUR_MS);
      const young = await finish(laneId, 100);
      await moveClock(context, 0);
      expect(await clearAll()).toMatchObject({ jobs: 2_100 });
      expect(await countOf('jobs')).toBe(400);
      expect(await countOf('job_outcomes')).toBe(100);
      expect(await countOf('job_attempts')).toBe(1);
      expect(await countOf('attempt_logs')).toBe(1);
      expect(await stateOf(young[0] as string)).toBe('SUCCEEDED');
      expect(await finish(laneId, 300)).toHaveLength(300);
    });

    it('is that of the definition, or else of the namespace, and at least one minute', async () => {
      const [own, none, instant] = await Promise.all(
        ['own', 'none', 'instant'].map((definition) => makeLane(context, { definition })),
      );
      await context.store.setRetention('default', 2 * HOUR_MS);
      await keep('own', 4 * HOUR_MS);
      await keep('instant', 0);
      const namesLeft = async () =>
        (await sql(context, 'SELECT definition FROM jobs j JOIN lanes l USING (lane_id) ORDER BY 1')).map(
          (row) => row.definition,
        );
      for (const laneId of [own, none, instant]) {
        await submitAt(Date.now(), laneId as number, 1);
        await finish(laneId as number, 1);
      }
      await moveClock(context, 0.9 * MINUTE_MS);
      await clearAll();
      expect(await namesLeft()).toEqual(['instant', 'none', 'own']);
      await moveClock(context, 1.1 * MINUTE_MS);
      await clearAll();
      expect(await namesLeft()).toEqual(['none', 'own']);
      await moveClock(context, 3 * HOUR_MS);
      await clearAll();
      expect(await namesLeft()).toEqual(['own']);
      await moveClock(context, 5 * HOUR_MS);
      await clearAll();
      expect(await namesLeft()).toEqual([]);
    });

    it('deletes at most 1,000 jobs per statement, round after round', async () => {
      const laneId = await makeLane(context, { definition: 'short' });
      await keep('short', HOUR_MS);
      await keep('longer', 9 * DAY_MS);
      await makeLane(context, { definition: 'longer' });
      await submitAt(Date.now(), laneId, 3_000);
      await finish(laneId, 3_000);
      await moveClock(context, 2 * HOUR_MS);
      const pages: number[] = [];
      const { database } = context;
      const watched = createStore({
        ...database,
        run: (statement, parameters) => database.run(statement, parameters),
        script: (text) => database.script(text),
        close: () => database.close(),
        transaction: (work) =>
          database.transaction((session) =>
            work({
              run: async (statement, parameters) => {
                const rows = await session.run(statement, parameters);
                if (statement.name === 'expire_lane_jobs') pages.push((rows[0] as Row | undefined)?.jobs);
                return rows;
              },
            }),
          ),
      });
      expect(await watched.clearExpired()).toMatchObject({ jobs: 3_000, more: true });
      expect(pages).toEqual([1_000, 1_000, 1_000, 0]);
      expect(await watched.clearExpired()).toMatchObject({ jobs: 0, more: false });
    });
  });

  describe('the removal of expired rows', () => {
    it('deletes request ids after a day', async () => {
      const laneId = await makeLane(context);
      const call = makeCall([makeJob(laneId)], { requestId: crypto.randomUUID(), bodyHash: bytes('b') });
      await context.store.submit([call]);
      await moveClock(context, 0.9 * DAY_MS);
      await clearAll();
      expect(await countOf('request_ids')).toBe(1);
      await moveClock(context, 1.1 * DAY_MS);
      await clearAll();
      expect(await countOf('request_ids')).toBe(0);
    });

    it('deletes idempotency keys after 7 days, unless their job is open', async () => {
      const [done, open] = [await makeLane(context), await makeLane(context)];
      for (const laneId of [done, open]) {
        const keys = [{ index: 0, key: `key-${laneId}`, contentHash: bytes('c'), policy: 'FAIL' as const }];
        await context.store.submit([makeCall([makeJob(laneId, { idempotencyKey: `key-${laneId}` })], { keys })]);
      }
      await finish(done, 1);
      await moveClock(context, 6.9 * DAY_MS);
      await clearAll();
      expect(await countOf('idempotency_keys')).toBe(2);
      await moveClock(context, 7.1 * DAY_MS);
      await clearAll();
      expect(await sql(context, 'SELECT idempotency_key FROM idempotency_keys')).toEqual([
        { idempotency_key: `key-${open}` },
      ]);
    });

    it('deletes sessions a day after they were closed', async () => {
      const [open, closed] = [await openWorker(context), await openWorker(context)];
      await context.store.closeSessions([closed.sessionId], 'CLOSE');
      await moveClock(context, 2 * DAY_MS);
      await makeLane(context);
      await clearAll();
      expect(await countOf('sessions')).toBe(2);
      await moveClock(context, 0);
      await context.store.endSessions([closed.sessionId]);
      await moveClock(context, 0.9 * DAY_MS);
      await clearAll();
      expect(await countOf('sessions')).toBe(2);
      await moveClock(context, 1.1 * DAY_MS);
      await clearAll();
      expect(await sql(context, 'SELECT session_id FROM sessions')).toEqual([{ session_id: open.sessionId }]);
    });

    it('deletes checkpoints of jobs that are not open, and attempts and logs of deleted jobs', async () => {
      const laneId = await makeLane(context);
      const [open] = await submitAt(Date.now(), laneId, 1);
      const past = newJobId(Date.now() - 30 * DAY_MS);
      for (const jobId of [open, newJobId(), past]) {
        await sql(context, `INSERT INTO job_checkpoints VALUES ('${jobId}', 1, 1, '\\x00', 'x', NULL)`);
        await sql(
          context,
          `INSERT INTO job_attempts VALUES ('${jobId}', 1, gen_random_uuid(), 2, false, muster_now(), muster_now(), NULL)`,
        );
        await sql(context, `INSERT INTO attempt_logs VALUES ('${jobId}', 1, 1, 1, '\\x00')`);
      }
      await clearAll();
      expect(await sql(context, 'SELECT job_id FROM job_checkpoints')).toEqual([{ job_id: open }]);
      expect(await countOf('job_attempts')).toBe(2);
      expect(await sql(context, `SELECT FROM job_attempts WHERE job_id = '${past}'`)).toEqual([]);
      expect(await countOf('attempt_logs')).toBe(2);
      expect(await sql(context, `SELECT FROM attempt_logs WHERE job_id = '${past}'`)).toEqual([]);
    });

    it('covers tables of many blocks: a round continues where the last one stopped', async () => {
      await makeLane(context);
      const many = `SELECT 'default', gen_random_uuid(), sha256(i::text::bytea), '{}', '{}',
        muster_now() - (i % 2) * interval '2 days' FROM generate_series(1, 150000) AS i`;
      await sql(context, `INSERT INTO request_ids ${many}`);
      expect((await context.store.clearExpired()).rows).toBeLessThan(75_000);
      await clearAll();
      await clearAll();
      expect(await countOf('request_ids')).toBe(75_000);
    });
  });

  it('does nothing if no job was ever submitted', async () => {
    expect(await context.store.clearExpired()).toEqual({ days: 0, jobs: 0, rows: 0, more: false });
  });
});
