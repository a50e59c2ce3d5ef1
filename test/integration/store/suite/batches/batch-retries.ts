/**
 * Retry batches in the store: each page is stored once, together with the progress of the retry, whatever replica
 * stores it.
 */
import { describe, expect, it } from 'vitest';
import { type BatchRetry, newRetry, type RetryPage } from '../../../../../server/domain/batches/batch-retry.ts';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import { addMembers, makeBatch, makeRetry, retryPage } from '../../../../support/store/store-batches.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, payload } from '../../../../support/store/store-fixtures.ts';
import { cancelOne, changeOne, lockAll, succeed } from '../../../../support/store/store-workflows.ts';

export function batchRetriesSuite(context: StoreContext): void {
  /** An ended batch with that many members; those that `isLost` selects by number were cancelled. */
  async function endedBatch(members: number, isLost: (item: number) => boolean, input = payload('')) {
    const laneId = await makeLane(context);
    const jobId = await makeBatch(context);
    const jobs = Array.from({ length: members }, (_, rank) => makeJob(laneId, { rank, input }));
    await context.store.submit([{ ...makeCall(jobs), batchJobId: jobId }]);
    const lost = jobs.filter((_, item) => isLost(item)).map((job) => job.jobId);
    const nowUs = await context.store.nowUs();
    const selection = { by: 'jobs', namespace: 'default', jobIds: jobs.map((job) => job.jobId) } as const;
    const isLostJob = new Set(lost);
    await context.store.change(selection, (run) =>
      isLostJob.has(run.jobId) ? decideCancel(run, 'lost', 0, { nowUs, random: 0 }) : succeed(run),
    );
    await changeOne(context, jobId, succeed);
    return { jobId, jobIds: jobs.map((job) => job.jobId), lost };
  }

  const submitPage = async (jobId: string, page: RetryPage, jobs: number) => {
    const laneId = await makeLane(context);
    const call = makeCall(Array.from({ length: jobs }, () => makeJob(laneId)));
    return (await context.store.submit([{ ...call, batchJobId: jobId, retryPage: page }]))[0];
  };

  const readRetry = async (jobId: string): Promise<BatchRetry | undefined> =>
    (await context.store.batches.read(jobId))?.retry;

  describe('retry batches', () => {
    it('are limited to one for each batch, not counting those that were stopped before they were full', async () => {
      const { jobId } = await endedBatch(3, () => true);
      expect(await context.store.batches.lockRetried(jobId)).toBeUndefined();
      const first = await makeRetry(context, jobId, 3, 3);
      expect(await context.store.batches.lockRetried(jobId)).toBe(first);
      await expect(makeRetry(context, jobId, 3, 3)).rejects.toMatchObject({ code: '23505' });
      await context.store.batches.stopFor(first, 'CANCELLED');
      expect(await context.store.batches.lockRetried(jobId)).toBeUndefined();
      expect(await context.store.batches.readFilling(first)).toBeUndefined();
      const second = await makeRetry(context, jobId, 3, 3);
      const whole = retryPage({ nextItem: 3 });
      expect(await context.store.batches.storePage(second, whole)).toBe(true);
      await context.store.batches.endRetry(second, {
        ...((await readRetry(second)) as BatchRetry),
        skippedByReason: { JOB_NOT_FOUND: 3 },
      });
      // It is full, so its end changes nothing any more.
      await context.store.batches.stopFor(second, 'FAILED');
      expect(await context.store.batches.lockRetried(jobId)).toBe(second);
      const [record] = await context.store.listAudit({
        namespace: 'default',
        jobId,
        beforeAuditId: undefined,
        limit: 1,
      });
      expect(record).toMatchObject({ action: 'RETRY_BATCH', jobId, subject: second, reason: 'again' });
    });

    it('find the failed members by their numbers, in bounded pages', async () => {
      const { jobId, jobIds, lost } = await endedBatch(2_200, (item) => item % 2 === 0);
      const retry = newRetry(jobId, 2_200, 1_100);
      const first = await context.store.batches.readFailed(retry);
      expect(first.members).toEqual(lost.slice(0, 1_000).map((id) => ({ jobId: id, item: jobIds.indexOf(id) })));
      expect(first.nextItem).toBe(2_000);
      const rest = await context.store.batches.readFailed({ ...retry, nextItem: first.nextItem });
      expect(rest.members.map((member) => member.jobId)).toEqual(lost.slice(1_000));
      expect(rest.nextItem).toBe(2_200);
      expect(await context.store.batches.readFailed({ ...retry, nextItem: 2_199 })).toEqual({
        members: [],
        nextItem: 2_200,
      });
      // Bounded by the members of the batch, not by the page size.
      expect((await context.store.batches.readFailed({ ...retry, members: 9_000_000 })).nextItem).toBe(2_000);
      expect((await context.store.batches.readFailed({ ...retry, nextItem: 2_100, members: 9_000_000 })).nextItem).toBe(
        7_100,
      );
    });

    it('read at most 8 MiB of inputs at once, but at least one input', async () => {
      const { jobId, jobIds } = await endedBatch(5, () => true, payload('x'.repeat(3 << 20)));
      const found = await context.store.batches.readFailed(newRetry(jobId, 5, 5));
      expect(found).toEqual({ members: [0, 1].map((item) => ({ jobId: jobIds[item], item })), nextItem: 2 });
      const { jobId: large, jobIds: one } = await endedBatch(2, () => true, payload('x'.repeat(9 << 20)));
      const alone = await context.store.batches.readFailed(newRetry(large, 2, 2));
      expect(alone).toEqual({ members: [{ jobId: one[0], item: 0 }], nextItem: 1 });
    });

    it('store each page once, with its members, however many callers try', async () => {
      const { jobId } = await endedBatch(10, () => true);
      const retry = await makeRetry(context, jobId, 10, 10);
      const page = retryPage({ nextItem: 4, retriedBeforeCount: 1, skippedByReason: { JOB_ERASED: 1 } });
      const results = await Promise.all(Array.from({ length: 4 }, () => submitPage(retry, page, 2)));
      expect(results.map((result) => result?.kind).sort()).toEqual([
        'batchRefused',
        'batchRefused',
        'batchRefused',
        'stored',
      ]);
      expect(results.find((result) => result?.kind === 'batchRefused')).toMatchObject({ why: 'PAGE_DONE', members: 2 });
      const both = await Promise.all(
        [2, 3].map((count) =>
          context.store.batches.storePage(
            retry,
            retryPage({ fromItem: 4, nextItem: 4 + count, skippedByReason: { JOB_ERASED: count } }),
          ),
        ),
      );
      expect(both.filter(Boolean)).toHaveLength(1);
      const stored = (await readRetry(retry)) as BatchRetry;
      const count = stored.nextItem - 4;
      expect(stored).toMatchObject({ retriedBeforeCount: 1, skippedByReason: { JOB_ERASED: 1 + count } });
      expect(await context.store.batches.read(retry)).toMatchObject({
        members: 2,
        progress: { skippedByReason: 1 + count },
      });
      expect(await sql(context, `SELECT count(*)::int AS jobs FROM jobs WHERE parent_job_id = '${retry}'`)).toEqual([
        { jobs: 2 },
      ]);
    });

    it('take no other members, and are sealed only after all members were read', async () => {
      const { jobId } = await endedBatch(2, () => true);
      const retry = await makeRetry(context, jobId, 2, 2);
      expect(await addMembers(context, retry, 1)).toMatchObject({ kind: 'batchRefused', why: 'RETRY' });
      const plain = await makeBatch(context);
      expect(await submitPage(plain, retryPage({ nextItem: 1 }), 1)).toMatchObject({ why: 'PAGE_DONE' });
      await context.store.batches.seal(retry, { auditId: crypto.randomUUID(), namespace: 'default' });
      await context.store.batches.endRetry(retry, (await readRetry(retry)) as BatchRetry);
      expect((await context.store.batches.read(retry))?.sealTimeUs).toBeUndefined();
      expect(await submitPage(retry, retryPage({ nextItem: 2 }), 2)).toMatchObject({ kind: 'stored' });
      for (let again = 0; again < 2; again++)
        await context.store.batches.endRetry(retry, (await readRetry(retry)) as BatchRetry);
      const [locked] = await lockAll(context, [retry]);
      expect(locked?.inbox.map(({ kind }) => kind)).toEqual(['SEALED']);
      expect(await context.store.batches.readFilling(retry)).toBeUndefined();
      expect(await submitPage(retry, retryPage({ fromItem: 2, nextItem: 2 }), 1)).toMatchObject({ why: 'SEALED' });
    });

    it('take no members after they were cancelled or stopped', async () => {
      const { jobId } = await endedBatch(2, () => true);
      const cancelled = await makeRetry(context, jobId, 2, 2);
      await cancelOne(context, cancelled);
      expect(await submitPage(cancelled, retryPage({ nextItem: 1 }), 1)).toMatchObject({ why: 'CANCELLED' });
      await context.store.batches.stopFor(cancelled, 'CANCELLED');
      expect(await context.store.batches.storePage(cancelled, retryPage({ nextItem: 1 }))).toBe(false);
      const stopped = await makeRetry(context, jobId, 2, 2);
      await context.store.batches.stopFor(stopped, 'FAILED');
      expect(await submitPage(stopped, retryPage({ nextItem: 1 }), 1)).toMatchObject({ why: 'ENDED' });
    });

    it('are found while nobody fills them, and show what they wait for until somebody does', async () => {
      const { jobId } = await endedBatch(3, () => true);
      const retry = await makeRetry(context, jobId, 3, 2);
      expect(await context.store.batches.findFilling(60_000, 10)).not.toContain(retry);
      // The clock was ahead.
      await sql(context, `UPDATE batches SET retry_time = retry_time + interval '1 hour' WHERE job_id = '${retry}'`);
      expect(await context.store.batches.findFilling(60_000, 1_000)).toContain(retry);
      await sql(context, `UPDATE batches SET retry_time = retry_time - interval '1 hour' WHERE job_id = '${retry}'`);
      expect(await context.store.batches.findFilling(0, 1_000)).toContain(retry);
      await sql(context, `UPDATE batches SET retry_time = muster_now() - interval '1 hour' WHERE job_id = '${retry}'`);
      expect((await context.store.batches.findFilling(60_000, 1))[0]).toBe(retry);
      await context.store.batches.delayRetry(retry, 'room');
      expect((await context.store.batches.read(retry))?.retry).toMatchObject({
        waitMessage: 'room',
        failed: 2,
        members: 3,
      });
      const filling = await context.store.batches.readFilling(retry);
      expect(filling).toMatchObject({ namespace: 'default', made: 0, retry: { batchJobId: jobId, nextItem: 0 } });
      expect(filling?.idleMs).toBeGreaterThan(3_500_000);
      await context.store.batches.storePage(retry, retryPage({ nextItem: 3 }));
      expect((await context.store.batches.read(retry))?.retry).toMatchObject({ waitMessage: '', nextItem: 3 });
      expect(await context.store.batches.findFilling(60_000, 1_000)).not.toContain(retry);
      await context.store.batches.endRetry(retry, (await readRetry(retry)) as BatchRetry);
      expect(await context.store.batches.findFilling(0, 1_000)).not.toContain(retry);
    });
  });
}
