/** Completions: fenced, exact and final, and how a repeated report of a closed attempt is recognised. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import type { AttemptKey } from '../../../../../server/engine/ports/attempts.ts';
import { failureText } from '../../../../../server/store/base/failure-text.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  holdMany,
  holdOne,
  keyOf,
  makeLane,
  only,
  openWorker,
  payload,
  readEverything,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const policy = definitionDefaults.retryPolicy;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');

export function completeSuite(context: StoreContext): void {
  describe('complete', () => {
    it('moves the job from its run to its outcome', async () => {
      const job = await holdOne(context);
      const result = { data: new Uint8Array([0, 1, 255]), contentType: 'application/x', metadata: { 'ü"': '\\' } };
      expect(await context.store.complete([{ ...keyOf(job), result }])).toMatchObject([keyOf(job)]);
      expect(await readRow(context, 'job_runs', job.jobId)).toBeUndefined();
      const view = await context.store.readJob('default', job.jobId);
      expect(view).toMatchObject({
        state: 'SUCCEEDED',
        attempt: 1,
        attemptCount: 1,
        revision: 3,
        sessionId: job.sessionId,
        failure: undefined,
      });
      expect(view?.result).toMatchObject({ contentType: 'application/x', metadata: result.metadata });
      expect(Buffer.compare(view?.result?.data ?? new Uint8Array(), result.data)).toBe(0);
      expect(view?.endTimeUs).toBeGreaterThanOrEqual(view?.assignTimeUs as number);
    });

    it.each([
      ['nothing', new Uint8Array()],
      ['every byte', Uint8Array.from({ length: 256 }, (_, i) => i)],
      ['half a megabyte at random', randomBytes(512 << 10)],
    ])('keeps a result of %s byte for byte', async (_what, data) => {
      const jobs = await holdMany(context, 3);
      await context.store.complete(
        jobs.map((job, i) => ({
          ...keyOf(job),
          result: { data: i === 1 ? data : new Uint8Array([i]), contentType: '' },
        })),
      );
      const view = await context.store.readJob('default', jobs[1]?.jobId as string);
      expect(Buffer.compare(view?.result?.data ?? randomBytes(3), data)).toBe(0);
    });

    it('refuses another attempt, another session and an unknown job, and changes nothing', async () => {
      const job = await holdOne(context);
      const other = await openWorker(context);
      const before = await readEverything(context, job.jobId);
      const wrong: AttemptKey[] = [
        { ...job, attempt: 0 },
        { ...job, attempt: 2 },
        { ...job, sessionId: other.sessionId },
        { ...job, jobId: randomUUID() },
      ];
      for (const key of wrong) expect(await context.store.complete([completionOf(key)])).toEqual([]);
      expect(await context.store.complete(wrong.map((key) => completionOf(key)).slice(1))).toEqual([]);
      expect(await readEverything(context, job.jobId)).toEqual(before);
      expect(await context.store.complete([completionOf(job)])).toMatchObject([keyOf(job)]);
    });

    it.each(['CLOSING', 'CLOSED'])(
      'refuses a session that is %s, and accepts an open one in the same call',
      async (state) => {
        const [job, good] = [await holdOne(context), await holdOne(context)];
        await context.store.closeSessions([job.sessionId], 'CLOSE');
        if (state === 'CLOSED') {
          await context.store.change({ by: 'session', sessionId: job.sessionId, limit: 10 }, (run, nowUs) =>
            decideSessionEnd(run, 'CLOSE', { nowUs, random: 0.5 }),
          );
          expect(await context.store.endSessions([job.sessionId])).toEqual([job.sessionId]);
        }
        const before = await readEverything(context, job.jobId);
        expect(await context.store.complete([completionOf(job), completionOf(good)])).toMatchObject([keyOf(good)]);
        expect(await readEverything(context, job.jobId)).toEqual(before);
      },
    );

    it('ignores a second report of the same attempt, whatever its result', async () => {
      const job = await holdOne(context);
      await context.store.complete([completionOf(job, 'first')]);
      const before = await readEverything(context, job.jobId);
      expect(await context.store.complete([completionOf(job, 'second')])).toEqual([]);
      expect(await context.store.complete([completionOf(job, 'first')])).toEqual([]);
      expect(await readEverything(context, job.jobId)).toEqual(before);
    });

    it('takes the valid reports of many, sorted or not', async () => {
      const jobs = await holdMany(context, 200);
      const completions = jobs
        .map((job, i) => completionOf(i % 3 === 0 ? { ...job, attempt: 9 } : job, `result ${i}`))
        .reverse();
      const ended = (await context.store.complete(completions)).map((key) => key.jobId);
      expect(ended.sort()).toEqual(
        jobs
          .filter((_, i) => i % 3 !== 0)
          .map((job) => job.jobId)
          .sort(),
      );
      const view = await context.store.readJob('default', jobs[100]?.jobId as string);
      expect(Buffer.from(view?.result?.data ?? []).toString()).toBe('result 100');
    });

    it('is won by one of many concurrent reports', async () => {
      const jobs = await holdMany(context, 50);
      const reports = Array.from({ length: 4 }, (_, i) =>
        context.store.complete(jobs.map((job) => completionOf(job, `by ${i}`))),
      );
      const ended = (await Promise.all(reports)).flat().map((key) => key.jobId);
      expect(ended.sort()).toEqual(jobs.map((job) => job.jobId).sort());
    });

    it('deletes the checkpoints of the job', async () => {
      const job = await holdOne(context);
      await context.store.saveProgress(
        [{ ...keyOf(job), sequence: 1, fraction: 0.5, message: 'half', checkpoint: payload('state') }],
        0,
      );
      await context.store.complete([completionOf(job)]);
      expect(await readRow(context, 'job_checkpoints', job.jobId)).toBeUndefined();
      expect(await context.store.readJob('default', job.jobId)).toMatchObject({
        progress: { fraction: 0.5, message: 'half' },
      });
    });
  });

  describe('closed attempts', () => {
    it('are found by job, attempt and session, with their outcome', async () => {
      const [succeeded, failed, retried, lost, open] = await holdMany(context, 5);
      if (!succeeded || !failed || !retried || !lost || !open) throw new Error('five jobs were claimed');
      await context.store.complete([completionOf(succeeded, 'done')]);
      await context.store.change({ by: 'attempts', attempts: [failed] }, (run, nowUs) =>
        decideFail(run, { ...failure, nonRetryable: true }, policy, { nowUs, random: 0 }),
      );
      await context.store.change({ by: 'attempts', attempts: [retried] }, (run, nowUs) =>
        decideFail(run, failure, policy, { nowUs, random: 0 }),
      );
      await context.store.change({ by: 'attempts', attempts: [lost] }, (run, nowUs) =>
        decideSessionEnd(run, 'LAPSE', { nowUs, random: 0 }),
      );
      const other = { ...succeeded, attempt: 2 };
      const stranger = { ...failed, sessionId: randomUUID() };
      const records = await context.store.readClosed([succeeded, failed, retried, lost, open, other, stranger]);
      const byJob = new Map(records.map((record) => [record.jobId, record]));
      expect(records).toHaveLength(4);
      expect(byJob.get(succeeded.jobId)).toMatchObject({
        ...keyOf(succeeded),
        outcome: 'SUCCEEDED',
        failure: undefined,
      });
      expect(Buffer.from(byJob.get(succeeded.jobId)?.result?.data ?? []).toString()).toBe('done');
      expect(byJob.get(failed.jobId)).toMatchObject({
        ...keyOf(failed),
        outcome: 'FAILED',
        result: undefined,
        failure: failureText({ ...failure, nonRetryable: true }),
      });
      expect(byJob.get(retried.jobId)).toMatchObject({
        ...keyOf(retried),
        outcome: 'FAILED',
        failure: failureText(failure),
      });
      expect(byJob.get(lost.jobId)).toMatchObject({ ...keyOf(lost), outcome: 'OTHER' });
    });

    it('do not include those whose result must be checked first: these are completed only after the check', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 2);
      await submitMany(context, laneId, 2, { checkResult: true, rank: 2_000_000 });
      const { sessionId } = await openWorker(context);
      const claimed = await claimMany(context, laneId, sessionId, 4);
      const [plain, other, first, second] = claimed.map(keyOf);
      if (!plain || !other || !first || !second) throw new Error('four jobs were claimed');
      const done = await context.store.complete([plain, first, second].map((key) => completionOf(key)));
      expect(done).toMatchObject([plain]);
      const unchecked = async () => (await context.store.readUnchecked([plain, other, first, second])).map(keyOf);
      const byJob = (a: AttemptKey, b: AttemptKey) => (a.jobId < b.jobId ? -1 : 1);
      expect((await unchecked()).sort(byJob)).toEqual([first, second].sort(byJob));
      expect((await context.store.readUnchecked([first]))[0]?.laneId).toBe(laneId);
      for (const stale of [
        { ...first, attempt: 2 },
        { ...first, sessionId: randomUUID() },
      ]) {
        expect(await context.store.readUnchecked([stale])).toEqual([]);
        expect(await context.store.complete([completionOf(stale)], true)).toEqual([]);
      }
      expect(await context.store.complete([completionOf(first), completionOf(other)], true)).toHaveLength(2);
      expect(await unchecked()).toEqual([second]);
      expect(await context.store.complete([completionOf(first)], true)).toEqual([]);
      await context.store.closeSessions([sessionId], 'CLOSE');
      expect(await context.store.complete([completionOf(second)], true)).toEqual([]);
    });

    it('are none for no keys', async () => {
      expect(await context.store.readClosed([])).toEqual([]);
      expect(only([await context.store.complete([])])).toEqual([]);
    });
  });
}
