/** The rows of a batch are kept as long as its job, and its members as long as a retry of the batch reads them. */

import { describe, expect, it } from 'vitest';
import { newRetry } from '../../../../server/domain/batches/batch-retry.ts';
import { storeKinds } from '../../../support/databases/databases.ts';
import { makeBatch, makeRetry, plain, retryPage } from '../../../support/store/store-batches.ts';
import { moveClock } from '../../../support/store/store-clock.ts';
import { sql, useStore } from '../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, newJobId } from '../../../support/store/store-fixtures.ts';
import { cancelOne, changeOne, succeed } from '../../../support/store/store-workflows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe.each(storeKinds)('batches on %s', (kind) => {
  const context = useStore(kind);
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;

  async function makeAt(ms: number): Promise<string> {
    await moveClock(context, ms - Date.now());
    await context.store.ensurePartitions();
    return makeBatch(context, plain, { jobId: newJobId(ms) });
  }

  async function clearAll(): Promise<void> {
    for (let more = true; more; ) ({ more } = await context.store.clearExpired());
  }

  /** An ended batch of that day with a cancelled member; both have ids of the day. */
  async function endedAt(ms: number): Promise<{ jobId: string; member: string }> {
    const jobId = await makeAt(ms);
    const member = makeJob(await makeLane(context), { jobId: newJobId(ms + 1) });
    await context.store.submit([{ ...makeCall([member]), batchJobId: jobId }]);
    await cancelOne(context, member.jobId);
    await changeOne(context, jobId, succeed);
    return { jobId, member: member.jobId };
  }

  it('are deleted with their jobs, by days and in pages, and stay while they are open', async () => {
    const ofDay = await makeAt(today - 30 * DAY_MS + HOUR_MS);
    const ofPage = await makeAt(today - 20 * DAY_MS + HOUR_MS);
    const open = await makeAt(today - 20 * DAY_MS + 2 * HOUR_MS);
    for (const jobId of [ofDay, ofPage]) await changeOne(context, jobId, succeed);
    await moveClock(context, 0);
    await clearAll();
    expect(await sql(context, 'SELECT job_id FROM batches')).toEqual([{ job_id: open }]);
    expect(await sql(context, 'SELECT job_id FROM batch_counts')).toEqual([{ job_id: open }]);
    expect((await context.store.readJob('default', open))?.state).toBe('WAITING');
  });

  it('keep their members while a retry of the batch has not read all of them, by days and in pages', async () => {
    const ofDay = await endedAt(today - 30 * DAY_MS + HOUR_MS);
    const ofPage = await endedAt(today - 20 * DAY_MS + HOUR_MS);
    const other = await endedAt(today - 20 * DAY_MS + 2 * HOUR_MS);
    await moveClock(context, 0);
    const retries = [await makeRetry(context, ofDay.jobId, 1, 1), await makeRetry(context, ofPage.jobId, 1, 1)];
    await clearAll();
    const ended = (jobs: readonly { member: string }[]) =>
      context.store.readEndedJobs(
        'default',
        jobs.map(({ member }) => member),
      );
    expect(await ended([other])).toEqual([]);
    expect((await ended([ofDay, ofPage])).map(({ jobId }) => jobId)).toEqual([ofDay.member, ofPage.member]);
    for (const [i, { jobId, member }] of [ofDay, ofPage].entries()) {
      const retry = newRetry(jobId, 1, 1);
      expect(await context.store.batches.readFailed(retry)).toEqual({
        members: [{ jobId: member, item: 0 }],
        nextItem: 1,
      });
      await context.store.batches.storePage(retries[i] as string, retryPage({ nextItem: 1 }));
      await context.store.batches.endRetry(retries[i] as string, retry);
    }
    await clearAll();
    expect(await ended([ofDay, ofPage])).toEqual([]);
  });
});
