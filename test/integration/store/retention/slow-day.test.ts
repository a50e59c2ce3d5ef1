/** The drop of a day stops all other transactions: on a slow database it ends after a moment. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moveClock } from '../../../support/store/store-clock.ts';
import { emptyTables, sql, useStore } from '../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  only,
  openWorker,
} from '../../../support/store/store-fixtures.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

describe('a whole day on PostgreSQL 18', () => {
  const context = useStore('PostgreSQL 18');
  const dayMs = (Math.floor(Date.now() / DAY_MS) - 65) * DAY_MS;

  beforeEach(() => emptyTables(context));
  afterEach(() => sql(context, 'DROP FUNCTION IF EXISTS slow CASCADE'));

  it('is deleted in pages instead if the copy of what is kept takes seconds', async () => {
    await moveClock(context, dayMs - Date.now());
    await context.store.ensurePartitions();
    const laneId = await makeLane(context);
    const jobs = [0, 1].map((rank) => makeJob(laneId, { jobId: newJobId(dayMs + 1_000), rank }));
    await context.store.submit([makeCall(jobs)]);
    const { sessionId } = await openWorker(context);
    const held = only(await claimMany(context, laneId, sessionId, 1));
    await context.store.complete([completionOf(held)]);
    await moveClock(context, 0);
    await sql(
      context,
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION slow()`,
    );
    const start = performance.now();
    expect(await context.store.clearExpired()).toMatchObject({ jobs: 1 });
    expect(performance.now() - start).toBeLessThan(20_000);
    const left = only(
      await sql(context, `SELECT count(*)::int AS jobs, min(tableoid::regclass::text) AS day FROM jobs`),
    );
    expect(left).toEqual({ jobs: 1, day: `jobs_${new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '')}` });
  });
});
