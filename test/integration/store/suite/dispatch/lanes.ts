/** Lanes, the heads of lanes with ready jobs, and the earliest due time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { gates } from '../../../../../server/store/dispatch/gated-lanes.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  jobsOf,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const key = {
  namespace: 'lanes',
  queue: 'q',
  definition: 'd',
  definitionVersion: 2,
  demands: '{"gpu":"a"}',
  suspect: false,
};

export function lanesSuite(context: StoreContext): void {
  describe('lanes', () => {
    it('have one lane for each key, also for concurrent callers', async () => {
      const ids = await Promise.all([1, 2, 3, 4].map(() => context.store.ensureLane(key)));
      expect(new Set(ids).size).toBe(1);
      expect(await context.store.ensureLane(key)).toBe(ids[0]);
    });

    it('have another lane for each other key', async () => {
      const others = [
        key,
        { ...key, namespace: 'lanes-2' },
        { ...key, queue: 'r' },
        { ...key, definition: 'e' },
        { ...key, definitionVersion: 3 },
        { ...key, demands: '' },
        { ...key, suspect: true },
      ];
      const ids = await Promise.all(others.map((other) => context.store.ensureLane(other)));
      expect(new Set(ids).size).toBe(others.length);
      const read = await context.store.readLanes([...ids, 2_000_000_000]);
      expect(read.sort((a, b) => a.laneId - b.laneId)).toEqual(
        others
          .map((other, i) => ({ ...other, laneId: ids[i], limited: false }))
          .sort((a, b) => Number(a.laneId) - Number(b.laneId)),
      );
    });

    it('use no number of the sequence if the lane exists', async () => {
      const first = await makeLane(context);
      for (let i = 0; i < 5; i++) await context.store.ensureLane(key);
      expect(await makeLane(context)).toBe(first + 1);
    });
  });

  describe('lane heads', () => {
    beforeEach(() => emptyTables(context));

    it('are the lowest rank of each lane with ready jobs', async () => {
      expect((await context.store.readHeads(0)).heads).toEqual([]);
      const [a, b, c, d] = [
        await makeLane(context),
        await makeLane(context),
        await makeLane(context),
        await makeLane(context),
      ];
      await submitMany(context, a, 3);
      await context.store.submit([makeCall([makeJob(b, { rank: 50 }), makeJob(b, { rank: -20 })])]);
      const later = (await context.store.nowUs()) + 60e6;
      await context.store.submit([makeCall([makeJob(c, { state: 'SCHEDULED', runTimeUs: later })])]);
      await submitMany(context, d, 1);
      const { sessionId } = await openWorker(context);
      await jobsOf(
        context.store.claim({
          permits: [{ sessionId, creditId: 1, prefetch: false }],
          lanes: [{ laneId: d, cursor: 0 }],
          maxBytes: 1,
        }),
      );
      expect((await context.store.readHeads(0)).heads).toEqual([
        { laneId: a, rank: 1_000_000, limited: false },
        { laneId: b, rank: -20, limited: false },
      ]);
    });

    it('come in pages of 5,000 lanes, of which gated ones are left out', async () => {
      await sql(
        context,
        `INSERT INTO lanes (namespace, queue, definition, definition_version, demands, suspect)
         SELECT 'many', 'q', 'd', n, '', false FROM generate_series(1, 5100) AS n;
         INSERT INTO job_runs (job_id, lane_id, state, rank, input_size, run_timeout_ms)
         SELECT gen_random_uuid(), lane_id, 3, definition_version, 0, 1 FROM lanes WHERE namespace = 'many'`,
      );
      await sql(
        context,
        `UPDATE lanes SET gates = ${gates.queuePaused} WHERE namespace = 'many' AND definition_version = 7`,
      );
      const first = await context.store.readHeads(0);
      expect(first.heads).toHaveLength(4_999);
      expect(first.heads.at(-1)).toMatchObject({ rank: 5_000, limited: false });
      const second = await context.store.readHeads(first.nextAfterLaneId as number);
      expect(second.heads.map(({ rank }) => rank)).toEqual(Array.from({ length: 100 }, (_, i) => 5_001 + i));
      expect(second.nextAfterLaneId).toBeUndefined();
    });
  });

  describe('the next due time', () => {
    beforeEach(() => emptyTables(context));

    it('is the earliest of all jobs, to the microsecond, or undefined', async () => {
      expect(await context.store.nextDueUs()).toBeUndefined();
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 1);
      expect(await context.store.nextDueUs()).toBeUndefined();
      const at = 1_900_000_000_123_457;
      await context.store.submit([
        makeCall([makeJob(laneId, { expireTimeUs: at + 2 }), makeJob(laneId, { state: 'SCHEDULED', runTimeUs: at })]),
      ]);
      expect(await context.store.nextDueUs()).toBe(at);
    });
  });
}
