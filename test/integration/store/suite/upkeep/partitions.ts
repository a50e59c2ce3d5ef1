/** Partitions by day: created before they are needed, once, in bounded time, and never blocking a job. */
import { describe, expect, it } from 'vitest';
import { ensurePartitions } from '../../../../../server/store/upkeep/partitions.ts';
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
    tables.flatMap((table) => [0, 1, 2, 3].map((ahead) => nameOf(table, firstDayMs + ahead * DAY_MS)));
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
    it('exist for today and the next three days, in both tables', async () => {
      // Computed here and not at the start of the file: a new day may have begun since.
      const today = dayOf(Date.now());
      await context.store.ensurePartitions();
      expect((await partitionsSince(today)).sort()).toEqual(namesOf(today).sort());
      await context.store.ensurePartitions();
      expect(await partitionsSince(today)).toHaveLength(8);
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
      const ids = [day - 1, day, day + DAY_MS - 1, day + DAY_MS, day + 4 * DAY_MS].map((ms) => newJobId(ms));
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
        expect(await partitionsSince(day)).toHaveLength(8);
      },
    );
  });
}
