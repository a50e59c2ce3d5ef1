/** Ranks of jobs with fairness keys: shared by weight, in whatever order and number the jobs come. */
import { beforeEach, describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideResume, decideUpdate, type Update } from '../../../../../server/domain/jobs/pause.ts';
import type { Change } from '../../../../../server/domain/jobs/run.ts';
import type { Decide } from '../../../../../server/engine/ports/jobs.ts';
import { createStore } from '../../../../support/store/create-store.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

export function fairnessSuite(context: StoreContext): void {
  /** Stores jobs of a key and returns their ranks. */
  async function add(laneId: number, fairnessKey: string, count: number, priority = 0): Promise<number[]> {
    const jobs = Array.from({ length: count }, () => makeJob(laneId, { fairnessKey, priority }));
    const [result] = await context.store.submit([makeCall(jobs)]);
    if (result?.kind !== 'stored') throw new Error('nothing was stored');
    return result.jobs.map(({ rank }) => rank as number);
  }

  /** Keys of the jobs in the order in which they are claimed. */
  async function order(laneId: number, count: number): Promise<string> {
    const { sessionId } = await openWorker(context);
    const jobs = await claimMany(context, laneId, sessionId, count);
    const rows = await sql(context, 'SELECT job_id, fairness_key FROM jobs');
    const keys = new Map(rows.map((row) => [row.job_id, row.fairness_key]));
    return jobs.map((job) => keys.get(job.jobId) ?? '-').join('');
  }

  const change = (jobId: string, decide: Decide) =>
    context.store.change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, decide);
  const update = (jobId: string, asked: Update) =>
    change(jobId, (run, nowUs) => decideUpdate(run, asked, { nowUs, random: 0 }) as Change);

  describe('fairness keys', () => {
    beforeEach(() => emptyTables(context));

    it('take turns, however many jobs one of them has, and in whatever order they came', async () => {
      const lane = await makeLane(context);
      await add(lane, 'a', 500);
      await add(lane, 'b', 3);
      await add(lane, 'c', 1);
      expect(await order(lane, 8)).toMatch(/^a(a|bc|cb)/);
      expect((await order(lane, 6)).replaceAll('a', '')).not.toMatch(/bb|cc/);
    });

    it('get the next turn for a new job, however many jobs of other keys were served before', async () => {
      const lane = await makeLane(context);
      await add(lane, 'a', 500);
      await order(lane, 300);
      await add(lane, 'b', 1);
      expect(await order(lane, 3)).toContain('b');
    });

    it('take turns over all lanes of their queue, of any definition and version', async () => {
      const [old, other] = [await makeLane(context, { queue: 'q' }), await makeLane(context, { queue: 'q' })];
      await add(old, 'a', 500);
      await order(old, 300);
      const [newcomer = 0] = await add(other, 'b', 1);
      const [row] = await sql(
        context,
        `SELECT rank FROM job_runs WHERE state = 3 AND lane_id = ${old} ORDER BY rank OFFSET 2`,
      );
      expect(newcomer).toBeLessThan(row?.rank);
      const dead = await makeLane(context, { queue: 'q' });
      await add(dead, 'c', 1);
      await order(old, 150);
      const [late = 0] = await add(await makeLane(context, { queue: 'q' }), 'd', 1);
      expect(late).toBeGreaterThan(newcomer);
    });

    it('share by weight', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      const queue = { namespace: 'default', name: 'q' };
      await context.store.queues.update(queue, { settings: { fairnessWeights: { a: 3, c: 0.5 } }, etag: '' });
      for (const key of ['a', 'b', 'c']) await add(lane, key, 100);
      const first = await order(lane, 90);
      const share = (key: string) => first.split(key).length - 1;
      expect(share('a')).toBeGreaterThanOrEqual(58);
      expect(share('a')).toBeLessThanOrEqual(62);
      expect(share('b')).toBeGreaterThanOrEqual(19);
      expect(share('c')).toBeGreaterThanOrEqual(9);
    });

    it('continue behind their last waiting job, and at the head of the lane without one', async () => {
      const lane = await makeLane(context);
      const first = await add(lane, 'a', 100);
      const second = await add(lane, 'a', 1);
      expect(second[0]).toBe((first.at(-1) as number) + 100);
      await add(lane, 'b', 200);
      await order(lane, 220);
      const third = await add(lane, 'a', 1);
      const [row] = await sql(context, `SELECT min(rank) AS head FROM job_runs WHERE state = 3 AND lane_id = ${lane}`);
      expect(third[0]).toBeGreaterThanOrEqual(row?.head);
      expect(third[0]).toBeLessThan((row?.head as number) + 1_000);
    });

    it('start at the current time if nothing waits', async () => {
      const lane = await makeLane(context);
      await add(lane, 'a', 1_000);
      await order(lane, 1_000);
      const before = await context.store.nowUs();
      const [rank = 0] = await add(lane, 'a', 1);
      expect(rank).toBeGreaterThanOrEqual(before);
      expect(rank).toBeLessThanOrEqual((await context.store.nowUs()) + 100);
    });

    it('are not pulled ahead by a job that its priority has moved forward', async () => {
      const lane = await makeLane(context);
      await add(lane, 'a', 300);
      await add(lane, 'p', 1, 100);
      const [newcomer = 0] = await add(lane, 'b', 1);
      const ranks = await sql(context, `SELECT rank FROM job_runs WHERE lane_id = ${lane} ORDER BY rank LIMIT 2`);
      expect(newcomer).toBeGreaterThan(ranks[1]?.rank);
      expect(await order(lane, 1)).toBe('p');
    });

    it('get their turn also if a replica stores them that has not seen the lane yet', async () => {
      const lane = await makeLane(context);
      await add(lane, 'a', 300);
      await add(lane, 'p', 1, 100);
      await sql(context, 'UPDATE job_runs SET rank = rank - 10000000');
      await sql(context, 'UPDATE fairness_keys SET last_rank = last_rank - 10000000');
      const [result] = await createStore(context.database).submit([makeCall([makeJob(lane, { fairnessKey: 'b' })])]);
      expect(result?.kind).toBe('stored');
      expect(await order(lane, 6)).toMatch(/^p(?=.*b)/);
    });

    it('give a job its turn when its scheduled time has come', async () => {
      const lane = await makeLane(context);
      const soon = (await context.store.nowUs()) - 1;
      const delayed = makeJob(lane, { fairnessKey: 'b', state: 'SCHEDULED', runTimeUs: soon, rank: 0 });
      await add(lane, 'a', 300);
      await context.store.submit([makeCall([delayed])]);
      await context.store.change({ by: 'due', limit: 10, latestUs: FAR_US }, (run, nowUs) =>
        decideDue(run, definitionDefaults.retryPolicy, { nowUs, random: 0 }),
      );
      expect(await readRow(context, 'job_runs', delayed.jobId)).toMatchObject({ state: 3 });
      expect(await order(lane, 3)).toContain('b');
    });

    it('keep the turn of a job that is changed while it waits, and its priority moves it from there', async () => {
      const lane = await makeLane(context, { queue: 'q' });
      const queue = { namespace: 'default', name: 'q' };
      await context.store.queues.update(queue, { settings: { fairnessWeights: { a: 0.01 } }, etag: '' });
      await add(lane, 'a', 300);
      const [last] = await sql(context, 'SELECT job_id, rank FROM job_runs ORDER BY rank DESC LIMIT 1');
      expect(last?.rank).toBeGreaterThan((await context.store.nowUs()) + 1_000_000);
      const rankAfter = async (asked: Update) => {
        await update(last?.job_id, asked);
        return (await readRow(context, 'job_runs', last?.job_id))?.rank;
      };
      expect(await rankAfter({ expireTimeUs: last?.rank + 3_600_000_000 })).toBe(last?.rank);
      expect(await rankAfter({ runTimeUs: 1 })).toBe(last?.rank);
      expect(await rankAfter({ priority: 1 })).toBe(last?.rank - 1_000_000);
      expect(await rankAfter({ priority: 0, expireTimeUs: last?.rank - 5 })).toBe(last?.rank - 5);
    });

    it('give a job its turn if it is resumed after its scheduled time', async () => {
      const lane = await makeLane(context);
      const soon = (await context.store.nowUs()) - 1;
      const held = makeJob(lane, { fairnessKey: 'a', state: 'SCHEDULED', runTimeUs: soon, rank: 0 });
      await context.store.submit([makeCall([held])]);
      await change(held.jobId, (run) => decidePause(run, { reason: '' }, 0) as Change);
      const ranks = await add(lane, 'a', 300);
      await change(held.jobId, (run, nowUs) => decideResume(run, { nowUs, random: 0 }));
      const resumed = await readRow(context, 'job_runs', held.jobId);
      expect(resumed).toMatchObject({ state: 3, rank: (ranks.at(-1) as number) + 100 });
    });

    it('are shared by replicas that store at once, and no rank is given twice', async () => {
      const lane = await makeLane(context);
      const other = createStore(context.database);
      for (const key of ['a', 'b']) await add(lane, key, 1);
      const jobs = Array.from({ length: 20 }, (_, i) => makeJob(lane, { fairnessKey: i % 2 === 0 ? 'a' : 'b' }));
      await Promise.all(jobs.map((job, i) => (i % 3 === 0 ? other : context.store).submit([makeCall([job])])));
      for (const key of ['a', 'b']) {
        const rows = await sql(
          context,
          `SELECT r.rank FROM job_runs r JOIN jobs j USING (job_id) WHERE j.fairness_key = '${key}'`,
        );
        expect(new Set(rows.map((row) => row.rank)).size).toBe(11);
      }
    });

    it('are deleted with their last job', async () => {
      const lane = await makeLane(context);
      for (const key of ['a', 'b']) await add(lane, key, 1);
      await sql(context, "DELETE FROM job_runs WHERE job_id IN (SELECT job_id FROM jobs WHERE fairness_key = 'a')");
      await context.store.clearExpired();
      expect(await sql(context, 'SELECT fairness_key FROM fairness_keys')).toEqual([{ fairness_key: 'b' }]);
    });
  });
}
