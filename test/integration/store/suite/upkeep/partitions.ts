/** Partitions by day: created before they are needed, once, in bounded time, and never blocking a job. */
import { describe, expect, it } from 'vitest';
import { countDaysAhead, ensurePartitions } from '../../../../../server/store/upkeep/partitions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  only,
  openWorker,
} from '../../../../support/store/store-fixtures.ts';

const DAY_MS = 86_400_000;
const tables = ['jobs', 'job_outcomes'];

export function partitionsSuite(context: StoreContext): void {
  const dayOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS;
  const today = dayOf(Date.now());
  const nameOf = (table: string, dayMs: number) =>
    `${table}_${new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
  const namesOf = (firstDayMs: number) =>
    tables.flatMap((table) => [0, 1, 2, 3, 4, 5, 6, 7].map((ahead) => nameOf(table, firstDayMs + ahead * DAY_MS)));
  const ensure = (dayMs: number) => ensurePartitions(context.database, (dayMs + 3_600_000) * 1000);

  async function partitionsSince(dayMs: number): Promise<string[]> {
    const rows = await sql(
      context,
      `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
       WHERE p.relname IN ('jobs', 'job_outcomes') AND p.relkind = 'p' AND right(c.relname, 8) >= '${nameOf('', dayMs).slice(1)}'
         AND c.relname NOT LIKE '%default'`,
    );
    return rows.map((row) => row.relname);
  }

  async function partitionOf(table: string, jobId: string): Promise<string> {
    const rows = await sql(context, `SELECT tableoid::regclass::text AS name FROM ${table} WHERE job_id = '${jobId}'`);
    return only(rows).name;
  }

  describe('partitions', () => {
    it('exist for today and the next seven days, in both tables', async () => {
      // Computed here and not at the start of the file: a new day may have begun since.
      const today = dayOf(Date.now());
      await context.store.ensurePartitions();
      expect((await partitionsSince(today)).sort()).toEqual(namesOf(today).sort());
      await context.store.ensurePartitions();
      expect(await partitionsSince(today)).toHaveLength(16);
    });

    it('are created once by several concurrent replicas', async () => {
      const day = today + 100 * DAY_MS;
      await Promise.all([1, 2, 3, 4].map(() => ensure(day)));
      expect((await partitionsSince(day)).sort()).toEqual(namesOf(day).sort());
    });

    it('take the jobs of their day from its first to its last millisecond', async () => {
      const day = today + 200 * DAY_MS;
      await ensure(day);
      const laneId = await makeLane(context);
      const ids = [day - 1, day, day + DAY_MS - 1, day + DAY_MS, day + 8 * DAY_MS].map((ms) => newJobId(ms));
      await context.store.submit([makeCall(ids.map((jobId) => makeJob(laneId, { jobId })))]);
      const names = await Promise.all(ids.map((jobId) => partitionOf('jobs', jobId)));
      const [first, second] = [nameOf('jobs', day), nameOf('jobs', day + DAY_MS)];
      expect(names).toEqual(['jobs_default', first, first, second, 'jobs_default']);
    });

    it('take over the jobs and outcomes of their day that were stored before them', async () => {
      const day = today + 300 * DAY_MS;
      const laneId = await makeLane(context);
      const ids = [day + 5, day + 6, day + DAY_MS].map((ms) => newJobId(ms)) as [string, string, string];
      await context.store.submit([makeCall(ids.map((jobId, rank) => makeJob(laneId, { jobId, rank })))]);
      const { sessionId } = await openWorker(context);
      const done = only(await claimMany(context, laneId, sessionId, 1));
      await context.store.complete([completionOf(done)]);
      expect(await partitionOf('job_outcomes', ids[0])).toBe('job_outcomes_default');
      await ensure(day);
      expect((await partitionsSince(day)).sort()).toEqual(namesOf(day).sort());
      expect(await Promise.all(ids.map((jobId) => partitionOf('jobs', jobId)))).toEqual([
        nameOf('jobs', day),
        nameOf('jobs', day),
        nameOf('jobs', day + DAY_MS),
      ]);
      expect(await partitionOf('job_outcomes', ids[0])).toBe(nameOf('job_outcomes', day));
      expect(await context.store.readJob('default', ids[0])).toMatchObject({ state: 'SUCCEEDED' });
      expect(await context.store.readJob('default', ids[2])).toMatchObject({ state: 'READY' });
    });

    it.skipIf(context.kind === 'PGlite')(
      'give up soon while somebody reads the table, and leave nothing half done',
      async () => {
        const day = today + 400 * DAY_MS;
        await context.database.transaction(async (reader) => {
          await reader.run({ name: '', text: 'SELECT FROM jobs LIMIT 1' }, []);
          await expect(ensure(day)).rejects.toMatchObject({ code: '55P03' });
        });
        expect(await partitionsSince(day)).toEqual([]);
        await ensure(day);
        expect(await partitionsSince(day)).toHaveLength(16);
      },
    );

    it.skipIf(context.kind === 'PGlite')('make nobody wait for long while somebody reads the table', async () => {
      const day = today + 500 * DAY_MS;
      await context.database.transaction(async (reader) => {
        await reader.run({ name: '', text: 'SELECT FROM jobs LIMIT 1' }, []);
        let over = false;
        const made = ensure(day).finally(() => {
          over = true;
        });
        made.catch(() => {});
        while (!over) {
          await context.database.transaction(async (other) => {
            await other.run({ name: '', text: "SELECT set_config('lock_timeout', '1s', true)" }, []);
            await other.run({ name: '', text: 'SELECT FROM jobs LIMIT 1' }, []);
          });
        }
        await expect(made).rejects.toMatchObject({ code: '55P03' });
      });
    });

    /** Rows of `jobs` at this time, each of `bytes`, as copies of one that is stored. */
    async function fillJobs(ms: number, count: number, bytes: number): Promise<void> {
      const jobId = newJobId(ms);
      await context.store.submit([makeCall([makeJob(await makeLane(context), { jobId })])]);
      await sql(
        context,
        `INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
           'job_id', overlay('${jobId}' placing lpad(to_hex(n), 12, '0') from 25), 'input', '\\x' || repeat('00', ${bytes})))).*
         FROM jobs j, generate_series(1, ${count}) AS n WHERE job_id = '${jobId}'`,
      );
    }

    it('leave a day with too many rows to be moved in the default partition', async () => {
      const day = today + 600 * DAY_MS;
      await fillJobs(day + 5, 1_001, 1);
      await ensure(day);
      expect(await partitionsSince(day)).not.toContain(nameOf('jobs', day));
      expect(await partitionsSince(day)).toHaveLength(15);
    });

    it('are made while the default partition is too large to be scanned under a lock', async () => {
      const day = today + 700 * DAY_MS;
      await fillJobs(day - 5, 5_000, 1_900);
      const [{ size }] = (await sql(context, "SELECT pg_relation_size('jobs_default')::int AS size")) as [
        { size: number },
      ];
      expect(size).toBeGreaterThan(8 << 20);
      await ensure(day);
      expect(await partitionsSince(day)).toHaveLength(16);
      const left = await sql(
        context,
        "SELECT conname FROM pg_constraint WHERE conname LIKE 'none_of%' AND conrelid = 'jobs_default'::regclass",
      );
      expect(left).toEqual([]);
      const jobId = newJobId(day + 5);
      await context.store.submit([makeCall([makeJob(await makeLane(context), { jobId })])]);
      expect(await partitionOf('jobs', jobId)).toBe(nameOf('jobs', day));
    });

    it('are counted', async () => {
      await context.store.ensurePartitions();
      expect(await countDaysAhead(context.database)).toBe(7);
    });
  });
}
