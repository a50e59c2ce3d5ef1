/** Held attempts: the list, rebuilt assignments, attempts seen running, progress and checkpoints. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideAbort, decideCancel, decideFail } from '../../../../../server/domain/jobs/decide.ts';
import type { AttemptKey, ProgressChange } from '../../../../../server/engine/ports/attempts.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  holdMany,
  holdOne,
  keyOf,
  only,
  openWorker,
  payload,
  readEverything,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

const RUN_TIMEOUT_SLACK_US = 2_000_000;
const lastAttempt = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };

export function heldSuite(context: StoreContext): void {
  const progressOf = (key: AttemptKey, sequence: number, changes: Partial<ProgressChange> = {}): ProgressChange => ({
    ...keyOf(key),
    sequence,
    fraction: undefined,
    message: undefined,
    checkpoint: undefined,
    ...changes,
  });
  const abort = (key: AttemptKey) =>
    context.store.change({ by: 'attempts', attempts: [key] }, (run, nowUs) => decideAbort(run, { nowUs, random: 0 }));
  const readProgress = async (jobId: string) => (await context.store.readJob('default', jobId))?.progress;

  describe('the list of held attempts', () => {
    it('contains ASSIGNED and CANCELLING ones, and RUNNING ones if all are requested', async () => {
      const [assigned, running, cancelling] = await holdMany(context, 3);
      if (!assigned || !running || !cancelling) throw new Error('three jobs were claimed');
      await context.store.observe([running], 0);
      await context.store.change({ by: 'attempts', attempts: [cancelling] }, (run, nowUs) =>
        decideCancel(run, '', 1_000, { nowUs, random: 0 }),
      );
      const held = await context.store.readHeld(assigned.sessionId, false);
      expect(new Map(held.map((run) => [run.jobId, run.state]))).toEqual(
        new Map([
          [assigned.jobId, 'ASSIGNED'],
          [cancelling.jobId, 'CANCELLING'],
        ]),
      );
      const whole = await context.store.readHeld(assigned.sessionId, true);
      expect(whole).toHaveLength(3);
      const run = whole.find((item) => item.jobId === running.jobId);
      expect(run).toMatchObject({
        ...keyOf(running),
        laneId: running.laneId,
        state: 'RUNNING',
        creditId: running.creditId,
      });
      expect(Math.abs((run?.assignTimeUs ?? 0) - (await context.store.nowUs()))).toBeLessThan(60e6);
      expect(await context.store.readHeld((await openWorker(context)).sessionId, true)).toEqual([]);
    });

    it('rebuilds the assignments of ASSIGNED attempts only', async () => {
      const [assigned, running] = await holdMany(context, 2);
      if (!assigned || !running) throw new Error('two jobs were claimed');
      await context.store.observe([running], 0);
      const again = await context.store.readAssigned([assigned, running, { ...assigned, attempt: 2 }]);
      expect(only(again)).toEqual({ ...assigned, prefetch: false });
    });
  });

  describe('observe', () => {
    it('makes ASSIGNED attempts RUNNING, with the run timeout due', async () => {
      const job = await holdOne(context);
      const before = await context.store.nowUs();
      await context.store.observe([job], 0);
      const after = await context.store.nowUs();
      const row = await readRow(context, 'job_runs', job.jobId);
      expect(row).toMatchObject({ state: 6, revision: 3 });
      // Counted from the observation: an assignment that arrived late must not time out on the server before the
      // worker.
      expect(row?.due_time).toBeGreaterThanOrEqual(before + 60_000_000 + RUN_TIMEOUT_SLACK_US);
      expect(row?.due_time).toBeLessThanOrEqual(after + 60_000_000 + RUN_TIMEOUT_SLACK_US);
      await context.store.observe([job], 0);
      expect(await readRow(context, 'job_runs', job.jobId)).toEqual(row);
    });

    it('counts from the time of the replica if the clock of the database is behind', async () => {
      const job = await holdOne(context);
      const ownUs = (await context.store.nowUs()) + 3_600_000_000;
      await context.store.observe([job], ownUs);
      const row = await readRow(context, 'job_runs', job.jobId);
      expect(row?.due_time).toBe(ownUs + 60_000_000 + RUN_TIMEOUT_SLACK_US);
    });

    it('ignores attempts that do not match the key', async () => {
      const job = await holdOne(context);
      const { sessionId } = await openWorker(context);
      const before = await readEverything(context, job.jobId);
      await context.store.observe(
        [
          { ...job, attempt: 2 },
          { ...job, sessionId },
        ],
        0,
      );
      expect(await readEverything(context, job.jobId)).toEqual(before);
    });
  });

  describe('progress', () => {
    it('is stored and shown, each part until a newer one arrives', async () => {
      const job = await holdOne(context);
      await context.store.saveProgress([progressOf(job, 1, { fraction: 0.25, message: 'a "quarter"' })], 0);
      expect(await readProgress(job.jobId)).toEqual({ fraction: 0.25, message: 'a "quarter"' });
      await context.store.saveProgress([progressOf(job, 2, { fraction: 0.5 })], 0);
      expect(await readProgress(job.jobId)).toEqual({ fraction: 0.5, message: 'a "quarter"' });
      await context.store.saveProgress([progressOf(job, 3, { message: '' })], 0);
      expect(await readProgress(job.jobId)).toEqual({ fraction: 0.5, message: '' });
    });

    it('is not set back by a late report', async () => {
      const job = await holdOne(context);
      await context.store.saveProgress([progressOf(job, 5, { fraction: 0.9, checkpoint: payload('new') })], 0);
      const before = await readEverything(context, job.jobId);
      await context.store.saveProgress([progressOf(job, 5, { fraction: 0.1, checkpoint: payload('old') })], 0);
      await context.store.saveProgress([progressOf(job, 4, { fraction: 0.1, checkpoint: payload('old') })], 0);
      expect(await readEverything(context, job.jobId)).toEqual(before);
    });

    it('of another attempt or session, or of a session that is not open, changes nothing', async () => {
      const job = await holdOne(context);
      const { sessionId } = await openWorker(context);
      const before = await readEverything(context, job.jobId);
      const change = { fraction: 0.5, checkpoint: payload('x') };
      await context.store.saveProgress(
        [progressOf({ ...job, attempt: 2 }, 1, change), progressOf({ ...job, sessionId }, 2, change)],
        0,
      );
      await context.store.closeSessions([job.sessionId], 'CLOSE');
      await context.store.saveProgress([progressOf(job, 3, change)], 0);
      expect(await readEverything(context, job.jobId)).toEqual(before);
    });

    it('keeps the first count of a unit, and the latest', async () => {
      const job = await holdOne(context);
      const count = async (sequence: number, done: number, unit: string, ownUs: number) => {
        await context.store.saveProgress(
          [progressOf(job, sequence, { fraction: 0.5, counts: { done, total: 9, unit } })],
          ownUs,
        );
        return (await readProgress(job.jobId))?.counts;
      };
      // The replica's clock is ahead of the database's, so these are the times.
      const startUs = (await context.store.nowUs()) + 3_600_000_000;
      const at = (seconds: number) => startUs + seconds * 1_000_000;
      const first = { done: 2, timeUs: at(0) };
      expect(await count(1, 2, 'rows', at(0))).toEqual({ done: 2, total: 9, unit: 'rows', timeUs: at(0), first });
      expect(await count(2, 5, 'rows', at(3))).toEqual({ done: 5, total: 9, unit: 'rows', timeUs: at(3), first });
      expect(await count(3, 5, 'rows', at(4))).toMatchObject({ timeUs: at(4), first });
      // It began anew, and then counts something else.
      expect(await count(4, 4, 'rows', at(5))).toMatchObject({ first: { done: 4, timeUs: at(5) } });
      expect(await count(5, 6, 'files', at(6))).toMatchObject({ unit: 'files', first: { done: 6, timeUs: at(6) } });
      await context.store.saveProgress([progressOf(job, 6, { checkpoint: payload('x') })], at(7));
      expect((await readProgress(job.jobId))?.counts).toMatchObject({ done: 6, timeUs: at(6) });
      await context.store.saveProgress([progressOf(job, 7, { fraction: 0.6 })], at(8));
      expect(await readProgress(job.jobId)).toEqual({ fraction: 0.6, message: '' });
    });

    it('keeps an unknown total and the largest counts', async () => {
      const job = await holdOne(context);
      const counts = { done: Number.MAX_SAFE_INTEGER, total: undefined, unit: '' };
      await context.store.saveProgress([progressOf(job, 1, { fraction: 0, counts })], 0);
      const stored = (await readProgress(job.jobId))?.counts;
      expect([stored?.done, stored?.total, stored?.unit]).toEqual([counts.done, undefined, '']);
    });

    it('stays with the ended job', async () => {
      const [succeeds, fails] = await holdMany(context, 2);
      if (!succeeds || !fails) throw new Error('two jobs were claimed');
      const counts = { done: 3, total: 4, unit: 'rows' };
      const both = [succeeds, fails].map((job) => progressOf(job, 1, { fraction: 0.75, message: 'm', counts }));
      await context.store.saveProgress(both, 0);
      await context.store.complete([completionOf(succeeds)]);
      await context.store.change({ by: 'attempts', attempts: [fails] }, (run, nowUs) =>
        decideFail(run, systemFailure('APPLICATION', 'X', 'x'), lastAttempt, { nowUs, random: 0 }),
      );
      for (const { jobId } of [succeeds, fails]) {
        expect(await readProgress(jobId)).toMatchObject({ fraction: 0.75, message: 'm', counts });
      }
    });

    it('starts again with each attempt', async () => {
      const job = await holdOne(context);
      const counts = { done: 9, total: 10, unit: 'rows' };
      await context.store.saveProgress([progressOf(job, 1_000, { fraction: 0.9, message: 'almost', counts })], 0);
      await abort(job);
      await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${job.jobId}'`);
      const again = only(await claimMany(context, job.laneId, job.sessionId, 1));
      expect(await readProgress(job.jobId)).toBeUndefined();
      await context.store.saveProgress([progressOf(again, 1, { fraction: 0.1 })], 0);
      expect(await readProgress(job.jobId)).toEqual({ fraction: 0.1, message: '' });
    });
  });

  describe('checkpoints', () => {
    it('are sent with the next claim, the newest byte for byte', async () => {
      const jobs = await holdMany(context, 3);
      const data = randomBytes(100_000);
      const checkpoint = { data, contentType: 'application/x', metadata: { part: '7' } };
      await context.store.saveProgress(
        jobs.map((job, i) => progressOf(job, 1, i === 1 ? {} : { checkpoint: payload(`first of ${i}`) })),
        0,
      );
      await context.store.saveProgress([progressOf(jobs[0] as AttemptKey, 2, { checkpoint })], 0);
      await context.store.saveProgress([progressOf(jobs[0] as AttemptKey, 3, { fraction: 1 })], 0);
      for (const job of jobs) await abort(job);
      await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE lane_id = ${jobs[0]?.laneId}`);
      const { sessionId } = await openWorker(context);
      const again = new Map(
        (await claimMany(context, jobs[0]?.laneId as number, sessionId, 3)).map((job) => [job.jobId, job]),
      );
      const first = again.get(jobs[0]?.jobId as string);
      expect(first?.attempt).toBe(2);
      expect(first?.checkpoint).toMatchObject({ contentType: 'application/x', metadata: { part: '7' } });
      expect(Buffer.compare(first?.checkpoint?.data ?? new Uint8Array(), data)).toBe(0);
      expect(again.get(jobs[1]?.jobId as string)?.checkpoint).toBeUndefined();
      expect(Buffer.from(again.get(jobs[2]?.jobId as string)?.checkpoint?.data ?? []).toString()).toBe('first of 2');
    });

    it('can be empty', async () => {
      const job = await holdOne(context);
      await context.store.saveProgress(
        [progressOf(job, 1, { checkpoint: { data: new Uint8Array(), contentType: '' } })],
        0,
      );
      await abort(job);
      await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${job.jobId}'`);
      const again = only(await claimMany(context, job.laneId, job.sessionId, 1));
      expect(again.checkpoint?.data).toHaveLength(0);
    });
  });
}
