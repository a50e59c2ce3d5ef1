/** The jobs of two versions are compared for the same time, whatever else there is. */
import { describe, expect, it } from 'vitest';
import type { Rollout } from '../../../../../server/engine/ports/definitions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, newJobId } from '../../../../support/store/store-fixtures.ts';
import { applyRolledOut } from '../../../../support/store/store-rollouts.ts';

const SUCCEEDED = 9;
const FAILED = 10;

/** Jobs that were submitted at even distances, from so many ms after the start. */
interface Wave {
  readonly laneId: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly jobs: number;
  /** One of so many failed. 0: none. */
  readonly failsEach?: number;
}

export function comparedVersionsSuite(context: StoreContext): void {
  /** A version 2 that is rolled out, and lanes of both versions. */
  async function begin(): Promise<{ rollout: Rollout; startMs: number; lanes: [number, number] }> {
    const definition = `compared-${crypto.randomUUID()}`;
    await applyRolledOut(context.store, definition);
    const rollout = await context.store.rollouts.read({ namespace: 'default', definition, version: 2 });
    const laneOf = (definitionVersion: number) => makeLane(context, { definition, definitionVersion });
    const startMs = Math.ceil((rollout as Rollout).startTimeUs / 1_000);
    return { rollout: rollout as Rollout, startMs, lanes: [await laneOf(1), await laneOf(2)] };
  }

  async function endJobs(startMs: number, { laneId, fromMs, toMs, jobs, failsEach = 0 }: Wave): Promise<void> {
    const ids = Array.from({ length: jobs }, (_, i) =>
      newJobId(startMs + fromMs + Math.floor(((toMs - fromMs) * i) / jobs)),
    );
    const states = ids.map((_, i) => (failsEach > 0 && i % failsEach === 0 ? FAILED : SUCCEEDED));
    await sql(
      context,
      `WITH given AS (SELECT * FROM unnest('{${ids.join()}}'::uuid[], '{${states.join()}}'::int[]) AS g (job_id, state)),
      made AS (INSERT INTO jobs (job_id, lane_id, priority, input, input_content_type, run_timeout_ms, create_time)
               SELECT job_id, ${laneId}, 0, '', '', 1000, muster_now() FROM given)
      INSERT INTO job_outcomes (job_id, state, revision, attempt, attempt_count, end_time, result, result_content_type, failure)
      SELECT job_id, state, 2, 1, 1, muster_now(), CASE state WHEN 9 THEN ''::bytea END, CASE state WHEN 9 THEN '' END,
             CASE state WHEN 10 THEN '{}' END FROM given`,
    );
  }

  async function open(laneId: number, startMs: number, jobs: number, attemptCount: number): Promise<void> {
    const all = Array.from({ length: jobs }, (_, i) => makeJob(laneId, { jobId: newJobId(startMs + i) }));
    await context.store.submit([makeCall(all)]);
    const ids = all.map(({ jobId }) => jobId);
    await sql(
      context,
      `UPDATE job_runs SET attempt = ${attemptCount}, attempt_count = ${attemptCount} WHERE job_id = ANY('{${ids.join()}}'::uuid[])`,
    );
  }

  const rate = ({ ended, failed }: { ended: number; failed: number }) => failed / ended;

  describe('two versions', () => {
    it('are compared for the time in which the new one had its jobs, however many the other had since', async () => {
      const { rollout, startMs, lanes } = await begin();
      const outage = { fromMs: 0, toMs: 5_000, failsEach: 2 };
      const after = { fromMs: 5_000, toMs: 10_000 };
      await endJobs(startMs, { laneId: lanes[0], ...outage, jobs: 3_000 });
      await endJobs(startMs, { laneId: lanes[0], ...after, jobs: 3_000 });
      await endJobs(startMs, { laneId: lanes[1], ...outage, jobs: 100 });
      await endJobs(startMs, { laneId: lanes[1], ...after, jobs: 100 });
      const { counts, baseCounts } = await context.store.rollouts.compare(rollout);
      expect(counts).toEqual({ ended: 200, failed: 50, retrying: 0 });
      expect(baseCounts.ended).toBeGreaterThan(900);
      expect(baseCounts.ended).toBeLessThanOrEqual(1_000);
      expect(Math.abs(rate(baseCounts) - 0.25)).toBeLessThan(0.05);
    });

    it('are compared by the newest 1,000 jobs of the new one that have ended, behind any number of open ones', async () => {
      const { rollout, startMs, lanes } = await begin();
      await endJobs(startMs, { laneId: lanes[1], fromMs: 0, toMs: 1_000, jobs: 500, failsEach: 1 });
      await endJobs(startMs, { laneId: lanes[1], fromMs: 1_000, toMs: 2_000, jobs: 1_001, failsEach: 4 });
      await open(lanes[1], startMs + 2_000, 1_500, 0);
      const { counts } = await context.store.rollouts.compare(rollout);
      expect(counts).toEqual({ ended: 1_000, failed: 250, retrying: 0 });
    });

    it('are compared by the lanes with the newest jobs, if there are more than 100', async () => {
      const { rollout, startMs, lanes } = await begin();
      const { definition } = rollout;
      for (let i = 0; i < 101; i++) {
        const laneId = await makeLane(context, {
          definition,
          definitionVersion: 2,
          demands: `{"labels":{"n":"${i}"}}`,
        });
        await endJobs(startMs, { laneId, fromMs: i, toMs: i + 1, jobs: 1 });
      }
      await endJobs(startMs, { laneId: lanes[1], fromMs: 500, toMs: 600, jobs: 10, failsEach: 1 });
      const { counts } = await context.store.rollouts.compare(rollout);
      expect(counts).toEqual({ ended: 109, failed: 10, retrying: 0 });
    });

    it('count open jobs with a failed attempt, of the new version alone', async () => {
      const { rollout, startMs, lanes } = await begin();
      await endJobs(startMs, { laneId: lanes[1], fromMs: 0, toMs: 100, jobs: 10 });
      await open(lanes[1], startMs + 50, 7, 1);
      await open(lanes[1], startMs + 50, 3, 0);
      await open(lanes[0], startMs + 50, 5, 1);
      const { counts, baseCounts } = await context.store.rollouts.compare(rollout);
      expect(counts).toEqual({ ended: 10, failed: 0, retrying: 7 });
      expect(baseCounts).toEqual({ ended: 0, failed: 0 });
    });

    it('show the newest jobs of the other while the new one has none', async () => {
      const { rollout, startMs, lanes } = await begin();
      await endJobs(startMs, { laneId: lanes[0], fromMs: 0, toMs: 100, jobs: 30, failsEach: 3 });
      const { counts, baseCounts } = await context.store.rollouts.compare(rollout);
      expect([counts.ended, baseCounts.ended]).toEqual([0, 25]);
    });
  });
}
