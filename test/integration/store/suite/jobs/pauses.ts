/** Pauses and updates as they are stored: the run, the record, and their effect on a claim. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideSuspend } from '../../../../../server/domain/dependencies/children.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideResume, decideUpdate, type Update } from '../../../../../server/domain/jobs/pause.ts';
import type { Change } from '../../../../../server/domain/jobs/run.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const HOUR_US = 3_600_000_000;

export function pausesSuite(context: StoreContext): void {
  const jobs = (...jobIds: string[]) => ({ by: 'jobs', namespace: 'default', jobIds }) as const;
  const pause = (jobId: string) =>
    context.store.change(jobs(jobId), (run) => decidePause(run, { reason: '' }, 0) as Change);
  const resume = (jobId: string) =>
    context.store.change(jobs(jobId), (run, nowUs) => decideResume(run, { nowUs, random: 0 }));
  const update = (jobId: string, asked: Update) =>
    context.store.change(jobs(jobId), (run, nowUs) => decideUpdate(run, asked, { nowUs, random: 0 }) as Change);
  const read = (jobId: string) => context.store.readJob('default', jobId);

  describe('pause and resume', () => {
    it('keep the run time, as users see it and as it is stored', async () => {
      const laneId = await makeLane(context);
      const runTimeUs = (await context.store.nowUs()) + HOUR_US;
      const job = makeJob(laneId, { state: 'SCHEDULED', runTimeUs, expireTimeUs: runTimeUs + HOUR_US });
      await context.store.submit([makeCall([job])]);
      await pause(job.jobId);
      expect(await read(job.jobId)).toMatchObject({ state: 'PAUSED', runTimeUs, revision: 2 });
      const kept = { run_time: runTimeUs, due_time: runTimeUs + HOUR_US };
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject(kept);
      await resume(job.jobId);
      expect(await read(job.jobId)).toMatchObject({ state: 'SCHEDULED', runTimeUs, reason: '' });
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ run_time: null, due_time: runTimeUs });
    });

    it('exclude a job from every claim, and restore its old position', async () => {
      const laneId = await makeLane(context);
      const [first, second] = (await submitMany(context, laneId, 2)) as [string, string];
      const { sessionId } = await openWorker(context);
      await pause(first);
      expect((await claimMany(context, laneId, sessionId, 1)).map(({ jobId }) => jobId)).toEqual([second]);
      expect(await claimMany(context, laneId, sessionId, 1)).toEqual([]);
      await resume(first);
      expect(await claimMany(context, laneId, sessionId, 1)).toMatchObject([{ jobId: first, rank: 1_000_000 }]);
    });

    it('let a paused job expire', async () => {
      const laneId = await makeLane(context);
      const job = makeJob(laneId, { expireTimeUs: (await context.store.nowUs()) - 1 });
      await context.store.submit([makeCall([job])]);
      await pause(job.jobId);
      await context.store.change({ by: 'due', limit: 1_000, latestUs: FAR_US }, (run, nowUs) =>
        run.jobId === job.jobId ? decideDue(run, definitionDefaults.retryPolicy, { nowUs, random: 0 }) : undefined,
      );
      expect(await read(job.jobId)).toMatchObject({ state: 'EXPIRED' });
    });
  });

  describe('a pause of a job that runs', () => {
    const suspend = (jobId: string, graceMs: number, stopsTimeouts = false) =>
      context.store.change(
        jobs(jobId),
        (run, nowUs) => decidePause(run, { reason: '', graceMs, stopsTimeouts }, nowUs) as Change,
      );
    const held = async () => {
      const laneId = await makeLane(context);
      const deadlineUs = (await context.store.nowUs()) + 2 * HOUR_US;
      const job = makeJob(laneId, { deadlineUs });
      await context.store.submit([makeCall([job])]);
      const { sessionId } = await openWorker(context);
      const [claimed] = await claimMany(context, laneId, sessionId, 1);
      return { jobId: job.jobId, attempt: claimed?.attempt ?? 0, sessionId, laneId };
    };
    const stop = (attempt: { jobId: string; attempt: number; sessionId: string }) =>
      context.store.change({ by: 'attempts', attempts: [attempt] }, (run, nowUs) =>
        decideSuspend(run, 0, { nowUs, random: 0 }),
      );

    it('is due at the end of the grace period, before and after its handler was seen, and after progress', async () => {
      const job = await held();
      await suspend(job.jobId, 60_000);
      const { suspend_until: untilUs, ...row } = (await readRow(context, 'job_runs', job.jobId)) ?? {};
      expect(row).toMatchObject({ due_time: untilUs, suspend_to: 4 });
      await context.store.observe([job], 0);
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({
        due_time: untilUs,
        suspend_until: untilUs,
      });
      const progress = { ...job, sequence: 1, fraction: 0.5, message: undefined, checkpoint: undefined };
      await context.store.saveProgress([progress], 0);
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ due_time: untilUs });
      expect(await read(job.jobId)).toMatchObject({ suspendTimeUs: untilUs });
    });

    it('is among what a heartbeat finds, also for an attempt that runs, until it is closed', async () => {
      const job = await held();
      await context.store.observe([job], 0);
      expect(await context.store.readHeld(job.sessionId, false)).toEqual([]);
      await suspend(job.jobId, 60_000);
      const [found, ...others] = await context.store.readHeld(job.sessionId, false);
      expect({ ...found, others }).toMatchObject({ jobId: job.jobId, state: 'RUNNING', others: [] });
      expect(found?.suspendUntilUs).toBeGreaterThan(await context.store.nowUs());
      expect(await context.store.readHeld(job.sessionId, true)).toHaveLength(1);
      await stop(job);
      expect(await context.store.readHeld(job.sessionId, true)).toEqual([]);
      expect(await read(job.jobId)).toMatchObject({ state: 'PAUSED', suspendTimeUs: undefined, attemptCount: 0 });
    });

    it('is asked of all held jobs of a queue, page by page, but for clean-ups', async () => {
      const queue = { namespace: 'default', name: `held-${randomUUID()}` };
      const laneId = await makeLane(context, { queue: queue.name });
      const ids = (await submitMany(context, laneId, 5)).sort();
      const cleanups = await makeLane(context, { queue: queue.name, cleanup: true });
      await submitMany(context, cleanups, 1);
      const { sessionId } = await openWorker(context);
      await claimMany(context, laneId, sessionId, 4);
      await claimMany(context, cleanups, sessionId, 1);
      const page = (limit: number, afterJobId?: string, suspended = false) =>
        context.store.readHeldOfQueue(queue, { afterJobId, limit, suspended });
      const heldIds = await page(10);
      expect(heldIds).toHaveLength(4);
      expect(ids).toEqual(expect.arrayContaining(heldIds));
      expect([...(await page(3)), ...(await page(3, heldIds[2]))]).toEqual([...heldIds].sort());
      expect(await page(10, undefined, true)).toEqual([]);
      await suspend(heldIds[1] as string, 60_000);
      expect(await page(10, undefined, true)).toEqual([heldIds[1]]);
    });

    it('takes the total timeout away until the job is resumed', async () => {
      const job = await held();
      await suspend(job.jobId, 60_000, true);
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ deadline: null, timeouts_stopped: true });
      await stop(job);
      await context.store.change(jobs(job.jobId), (run, nowUs) => decideResume(run, { nowUs, random: 0 }, 1_000));
      const row = await readRow(context, 'job_runs', job.jobId);
      expect(row).toMatchObject({ timeouts_stopped: false, due_time: row?.deadline });
      expect(row?.deadline - (await context.store.nowUs())).toBeLessThanOrEqual(1_000_000);
    });
  });

  describe('update', () => {
    it('changes the record and the run, and leaves other fields', async () => {
      const laneId = await makeLane(context);
      const nowUs = await context.store.nowUs();
      const job = makeJob(laneId, { priority: 3, rank: nowUs - 3_000_000 });
      await context.store.submit([makeCall([job])]);
      await update(job.jobId, { priority: 10 });
      expect(await read(job.jobId)).toMatchObject({ state: 'READY', priority: 10, revision: 2 });
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({ rank: nowUs - 10_000_000, due_time: null });
      const expireTimeUs = nowUs + 2 * HOUR_US;
      await update(job.jobId, { expireTimeUs });
      expect(await readRow(context, 'job_runs', job.jobId)).toMatchObject({
        expire_time: expireTimeUs,
        due_time: expireTimeUs,
        rank: nowUs - 10_000_000,
      });
      const runTimeUs = nowUs + HOUR_US;
      await update(job.jobId, { runTimeUs });
      expect(await read(job.jobId)).toMatchObject({ state: 'SCHEDULED', priority: 10, runTimeUs, expireTimeUs });
      expect(await readRow(context, 'jobs', job.jobId)).toMatchObject({
        run_time: runTimeUs,
        expire_time: expireTimeUs,
      });
    });

    it('lets a job with a higher priority be claimed first', async () => {
      const laneId = await makeLane(context);
      const [, , third] = await submitMany(context, laneId, 3);
      await update(third as string, { priority: 1 });
      const { sessionId } = await openWorker(context);
      expect((await claimMany(context, laneId, sessionId, 1)).map(({ jobId }) => jobId)).toEqual([third]);
    });

    it('writes nothing if the job changed since it was read', async () => {
      const laneId = await makeLane(context);
      const [jobId] = (await submitMany(context, laneId, 1)) as [string];
      const before = await readRow(context, 'job_runs', jobId);
      const stale = context.store.change(jobs(jobId), (run, nowUs) => {
        const seen = { ...run, priority: 7 };
        return decideUpdate(seen, { priority: 1 }, { nowUs, random: 0 }) as Change;
      });
      await expect(stale).rejects.toMatchObject({ code: '40001' });
      expect(await readRow(context, 'job_runs', jobId)).toEqual(before);
    });
  });
}
