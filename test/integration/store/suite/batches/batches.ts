/** Batches in the store: members that are added under a lock, refusals, counts, and the inbox. */
import { describe, expect, it } from 'vitest';
import { newBatch, noneEnded } from '../../../../../server/domain/batches/batch.ts';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import { addMembers, callback, makeBatch, plain } from '../../../../support/store/store-batches.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane } from '../../../../support/store/store-fixtures.ts';
import { changeOne, lockAll, succeed } from '../../../../support/store/store-workflows.ts';

const newAudit = () => ({ auditId: crypto.randomUUID(), namespace: 'default' });

export function batchesSuite(context: StoreContext): void {
  const read = async (jobId: string) => {
    const batch = await context.store.batches.read(jobId);
    if (!batch) throw new Error(`there is no batch ${jobId}`);
    return batch;
  };
  const refused = (jobId: string, why: string, members = 0) => ({ kind: 'batchRefused', jobId, why, members });

  describe('batches', () => {
    it('are read as they were created', async () => {
      const now = await context.store.nowUs();
      const jobId = await makeBatch(context, { description: 'all', policy: 3, callback });
      const { nowUs, ...batch } = await read(jobId);
      const input = { ...callback.input, data: Buffer.from(callback.input.data) };
      expect(batch).toEqual({
        members: 0,
        sealTimeUs: undefined,
        description: 'all',
        policy: 3,
        callback: { ...callback, input },
        callbackJobId: undefined,
        callbackError: undefined,
        progress: newBatch,
      });
      expect(nowUs).toBeGreaterThanOrEqual(now);
      for (const policy of ['ANY', 'NONE', 0] as const)
        expect((await read(await makeBatch(context, { ...plain, policy }))).policy).toBe(policy);
      expect(await context.store.batches.read(crypto.randomUUID())).toBeUndefined();
    });

    it('number their members, also those of a call of several statements', async () => {
      const jobId = await makeBatch(context);
      const laneId = await makeLane(context);
      await addMembers(context, jobId, 2, laneId);
      expect(await addMembers(context, jobId, 2_500, laneId)).toMatchObject({ kind: 'stored' });
      expect((await read(jobId)).members).toBe(2_502);
      const items = `count(DISTINCT item)::int AS items, min(item) AS first, max(item) AS last, max(step)::int AS step`;
      for (const table of ['jobs', 'job_runs'])
        expect(await sql(context, `SELECT ${items} FROM ${table} WHERE parent_job_id = '${jobId}'`)).toEqual([
          { items: 2_502, first: 0, last: 2_501, step: 0 },
        ]);
    });

    it('count concurrent calls once each', async () => {
      const jobId = await makeBatch(context);
      const laneId = await makeLane(context);
      const call = (requestId?: string) => ({
        ...makeCall([makeJob(laneId), makeJob(laneId)]),
        batchJobId: jobId,
        ...(requestId ? { requestId, bodyHash: new Uint8Array(32) } : {}),
      });
      const requestId = crypto.randomUUID();
      const results = await Promise.all(
        [undefined, requestId, requestId, undefined].map((id) => context.store.submit([call(id)])),
      );
      expect(results.flat().map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored', 'stored']);
      await Promise.all(Array.from({ length: 20 }, () => context.store.submit([call()])));
      expect((await read(jobId)).members).toBe(46);
      const items = `count(DISTINCT item)::int AS items, max(item) AS last`;
      expect(await sql(context, `SELECT ${items} FROM jobs WHERE parent_job_id = '${jobId}'`)).toEqual([
        { items: 46, last: 45 },
      ]);
    });

    it('refuse members when they are sealed, failing, cancelled, over or full', async () => {
      const sealed = await makeBatch(context);
      await addMembers(context, sealed, 1);
      await context.store.batches.seal(sealed, newAudit());
      expect(await addMembers(context, sealed, 1)).toEqual(refused(sealed, 'SEALED', 1));
      const stopReason = await makeBatch(context);
      expect(await context.store.batches.stopFor(stopReason, 'FAILED')).toBe(0);
      expect(await addMembers(context, stopReason, 1)).toEqual(refused(stopReason, 'ENDED'));
      const cancelled = await makeBatch(context);
      const nowUs = await context.store.nowUs();
      await changeOne(context, cancelled, (run) => decideCancel(run, 'enough', 0, { nowUs, random: 0 }));
      expect(await addMembers(context, cancelled, 1)).toEqual(refused(cancelled, 'CANCELLED'));
      const over = await makeBatch(context);
      await changeOne(context, over, succeed);
      expect(await addMembers(context, over, 1)).toEqual(refused(over, 'ENDED'));
      const full = await makeBatch(context);
      await sql(context, `UPDATE batches SET members = 999999 WHERE job_id = '${full}'`);
      expect(await addMembers(context, full, 2)).toEqual(refused(full, 'FULL', 999_999));
      expect(await addMembers(context, full, 1)).toMatchObject({ kind: 'stored' });
      const missing = crypto.randomUUID();
      expect(await addMembers(context, missing, 1)).toEqual(refused(missing, 'NOT_FOUND'));
      const other = { ...makeCall([makeJob(await makeLane(context))]), namespace: 'other', batchJobId: full };
      expect(await context.store.submit([other])).toEqual([refused(full, 'NOT_FOUND')]);
      expect(await sql(context, `SELECT count(*)::int AS jobs FROM jobs WHERE parent_job_id = '${sealed}'`)).toEqual([
        { jobs: 1 },
      ]);
    });

    it('get one inbox row for their seal', async () => {
      const jobId = await makeBatch(context);
      await context.store.batches.seal(jobId, newAudit());
      await context.store.batches.seal(jobId, newAudit());
      const [locked] = await lockAll(context, [jobId]);
      expect(locked?.inbox.map(({ kind }) => kind)).toEqual(['SEALED']);
      expect(locked).toMatchObject({ state: 'WAITING', run: undefined, depth: 1 });
      expect((await read(jobId)).sealTimeUs).toBeTypeOf('number');
      const query = { namespace: 'default', jobId, beforeAuditId: undefined, limit: 10 };
      expect(await context.store.listAudit(query)).toMatchObject([{ action: 'SEAL_BATCH', jobId, subject: '' }]);
    });

    it('lose their user data when they are erased, and keep their counts', async () => {
      const jobId = await makeBatch(context, { description: 'of jane', policy: 1, callback });
      const ended = { ...noneEnded, succeeded: 2 };
      await context.store.batches.write([
        { jobId, progress: { ...newBatch, ended }, callback: { problem: 'of jane' } },
      ]);
      await changeOne(context, jobId, succeed);
      const erasure = { namespace: 'default', jobId, reason: 'a demand', auditId: crypto.randomUUID() };
      expect(await context.store.eraseJob(erasure)).toMatchObject({ kind: 'erased' });
      expect(await read(jobId)).toMatchObject({
        description: '',
        callback: undefined,
        callbackError: undefined,
        progress: { ended },
      });
    });

    it('keep their counts and the callback', async () => {
      const [first, second] = [await makeBatch(context), await makeBatch(context)];
      const ended = { succeeded: 1, failed: 2, cancelled: 3, expired: 4, skipped: 5 };
      const made = crypto.randomUUID();
      await context.store.batches.write([
        { jobId: first, progress: { ended, rate: [[7, 15]], stopReason: 'NO' }, callback: { jobId: made } },
        { jobId: second, progress: { ended: noneEnded, rate: [], stopReason: 'NO' }, callback: { problem: 'gone' } },
      ]);
      expect(await read(first)).toMatchObject({ progress: { ended, rate: [[7, 15]] }, callbackJobId: made });
      expect(await read(second)).toMatchObject({ callbackJobId: undefined, callbackError: 'gone' });
    });
  });
}
