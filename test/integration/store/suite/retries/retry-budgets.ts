/**
 * Retry budgets: first attempts are counted with the jobs, retries at their start, and none starts beyond the budget.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import type { Change } from '../../../../../server/domain/jobs/run.ts';
import { minuteOf } from '../../../../../server/domain/retries/retry-budget.ts';
import type { RetryBudget } from '../../../../../server/domain/retries/retry-policy.ts';
import type { NewJob } from '../../../../../server/engine/ports/submissions.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { moveClock, stopClock } from '../../../../support/store/store-clock.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { bytes, makeCall, makeJob, makeLane, readRow, submitMany } from '../../../../support/store/store-fixtures.ts';

const policy = definitionDefaults.retryPolicy;
const MINUTE = Date.parse('2026-11-25T12:00:00Z') / 60_000;
const timeOf = (minute: number) => `2026-11-25 12:${String(minute - MINUTE).padStart(2, '0')}:30Z`;
const startOf = (minute: number) => minute * 60_000_000;

export function retryBudgetsSuite(context: StoreContext): void {
  const at = (minute: number) => stopClock(context, timeOf(minute));
  const rows = () => sql(context, 'SELECT * FROM retry_budgets ORDER BY namespace, definition, minute');
  const makeLaneOf = (definition: string) => makeLane(context, { definition });

  /** Jobs whose only attempt has failed and whose retry is due, the first one earliest. */
  async function failMany(laneId: number, count: number, changes: Partial<NewJob> = {}): Promise<string[]> {
    const jobIds = await submitMany(context, laneId, count, changes);
    for (const [i, jobId] of jobIds.entries())
      await sql(
        context,
        `UPDATE job_runs SET state = 2, attempt = 1, attempt_count = 1, reason = 'failed',
                due_time = muster_now() - ${1_000 - i} * interval '1 ms' WHERE job_id = '${jobId}'`,
      );
    return jobIds;
  }

  /** Starts due retries as a sweep does, for jobs of one definition. */
  const promote = (definition: string, budget: RetryBudget, limit = 1_000): Promise<Change[]> =>
    context.store.change({ by: 'due', limit, latestUs: FAR_US }, (run, nowUs) => {
      const change = decideDue(run, policy, { nowUs, random: 0.5 });
      const retryBudget = { ...budget, namespace: 'default', definition, minute: minuteOf(nowUs) };
      return change?.kind === 'continue' ? { ...change, retryBudget } : change;
    });

  const statesOf = async (jobIds: readonly string[]) =>
    Promise.all(jobIds.map(async (jobId) => (await readRow(context, 'job_runs', jobId))?.state));

  describe('retry budgets', () => {
    beforeEach(async () => {
      await emptyTables(context);
      await sql(context, 'TRUNCATE retry_budgets');
      await at(MINUTE);
    });

    afterEach(() => moveClock(context, 0));

    it('count first attempts of their definitions once each, in the minute in which they start', async () => {
      const [laneId, other] = [await makeLaneOf('counted'), await makeLaneOf('plain')];
      const job = (changes: Partial<NewJob> = {}) => makeJob(laneId, { hasRetryBudget: true, ...changes });
      const repeated = makeCall([job(), job()], { requestId: randomUUID(), bodyHash: bytes('b') });
      const idempotencyKey = randomUUID();
      const keyed = makeCall([job({ idempotencyKey })], {
        keys: [{ index: 0, key: idempotencyKey, contentHash: bytes('c'), policy: 'USE_EXISTING' }],
      });
      await context.store.submit([makeCall([job()]), repeated, makeCall([makeJob(other)])]);
      await context.store.submit([{ ...repeated, jobs: [job(), job()] }, keyed]);
      await context.store.submit([{ ...keyed, jobs: [job({ idempotencyKey })] }]);
      const later = startOf(MINUTE + 7) + 5;
      await context.store.submit([makeCall([job({ state: 'SCHEDULED', runTimeUs: later })])]);
      await context.store.submit([makeCall(Array.from({ length: 1_500 }, () => job()))]);
      expect(await rows()).toEqual([
        { namespace: 'default', definition: 'counted', minute: MINUTE, first_attempts: 1_504, retries: 0, waiting: 0 },
        { namespace: 'default', definition: 'counted', minute: MINUTE + 7, first_attempts: 1, retries: 0, waiting: 0 },
      ]);
    });

    it('delay retries without budget, in order, with their attempts unspent and a reason', async () => {
      const laneId = await makeLaneOf('failing');
      const jobIds = await failMany(laneId, 7);
      const budget = { ratio: 0, minPerMinute: 2 };
      expect(await promote('failing', budget)).toHaveLength(7);
      expect(await statesOf(jobIds)).toEqual([3, 3, 2, 2, 2, 2, 2]);
      const waiting = await context.store.readJob('default', jobIds[2] as string);
      expect(waiting).toMatchObject({
        state: 'SCHEDULED',
        runTimeUs: startOf(MINUTE + 1),
        attemptCount: 1,
        attempt: 1,
        reason: "waits for room in the retry budget of failing: this minute's retries are used up",
      });
      const due = await Promise.all(jobIds.slice(2).map((jobId) => readRow(context, 'job_runs', jobId)));
      expect(due.map((row) => row?.due_time / 60_000_000 - MINUTE)).toEqual([1, 1, 2, 2, 3]);
      expect(await promote('failing', budget)).toEqual([]);
      await at(MINUTE + 1);
      await promote('failing', budget);
      expect(await statesOf(jobIds)).toEqual([3, 3, 3, 3, 2, 2, 2]);
      expect((await rows()).map(({ retries, waiting: put }) => [retries, put])).toEqual([
        [2, 0],
        [2, 2],
        [0, 2],
        [0, 1],
      ]);
    });

    it('grow with the first attempts of this minute and the one before', async () => {
      const laneId = await makeLaneOf('busy');
      const budget = { ratio: 0.5, minPerMinute: 1 };
      await submitMany(context, laneId, 8, { hasRetryBudget: true });
      const jobIds = await failMany(laneId, 6);
      await promote('busy', budget);
      expect(await statesOf(jobIds)).toEqual([3, 3, 3, 3, 2, 2]);
      await at(MINUTE + 1);
      await promote('busy', budget);
      expect(await statesOf(jobIds)).toEqual([3, 3, 3, 3, 3, 3]);
      const more = await failMany(laneId, 3);
      await at(MINUTE + 2);
      await promote('busy', budget);
      expect(await statesOf(more)).toEqual([3, 2, 2]);
    });

    it('are never exceeded by concurrent callers', async () => {
      const laneId = await makeLaneOf('crowded');
      const jobIds = await failMany(laneId, 40);
      await Promise.all(Array.from({ length: 8 }, () => promote('crowded', { ratio: 0, minPerMinute: 7 }, 5)));
      expect((await statesOf(jobIds)).filter((state) => state === 3).length).toBeLessThanOrEqual(7);
      while ((await promote('crowded', { ratio: 0, minPerMinute: 7 }, 5)).length > 0) {}
      expect((await statesOf(jobIds)).filter((state) => state === 3)).toHaveLength(7);
    });

    it('do not extend the total timeout', async () => {
      const laneId = await makeLaneOf('late');
      const deadlineUs = startOf(MINUTE) + 40_000_000;
      const [, second] = await failMany(laneId, 2, { deadlineUs });
      await promote('late', { ratio: 0, minPerMinute: 1 });
      expect((await readRow(context, 'job_runs', second as string))?.due_time).toBe(deadlineUs);
    });

    it('are deleted after an hour', async () => {
      const laneId = await makeLaneOf('forgotten');
      for (const minute of [0, 1]) {
        await at(MINUTE + minute);
        await submitMany(context, laneId, 1, { hasRetryBudget: true });
      }
      await stopClock(context, '2026-11-25 13:01:10Z');
      await context.store.clearExpired();
      expect((await rows()).map((row) => row.minute - MINUTE)).toEqual([1]);
    });
  });
}
