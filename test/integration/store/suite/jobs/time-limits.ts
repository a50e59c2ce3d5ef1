/** Time limits as the statements store them: the due time of a running attempt, and what moves it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptKey, ProgressChange } from '../../../../../server/engine/ports/attempts.ts';
import type { NewJob } from '../../../../../server/engine/ports/submissions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

const SECOND_US = 1_000_000;
const RUN_MS = 60_000;
/** The worker's own timeout comes first. */
const SLACK_US = 2 * SECOND_US;

export function timeLimitsSuite(context: StoreContext): void {
  let nowUs: number;

  beforeEach(async () => {
    nowUs = await context.store.nowUs();
  });

  async function running(changes: Partial<NewJob>): Promise<AttemptKey> {
    const laneId = await makeLane(context);
    await context.store.submit([makeCall([makeJob(laneId, { runTimeoutMs: RUN_MS, ...changes })])]);
    const { sessionId } = await openWorker(context);
    const key = keyOf(only(await claimMany(context, laneId, sessionId, 1)));
    await context.store.observe([key], 0);
    return key;
  }

  function say(key: AttemptKey, sequence: number, rest: Partial<ProgressChange>): Promise<void> {
    const silent = { fraction: undefined, message: undefined, checkpoint: undefined };
    return context.store.saveProgress([{ ...key, sequence, ...silent, ...rest }], 0);
  }

  function makeDue({ jobId }: AttemptKey) {
    return sql(
      context,
      `UPDATE job_runs SET quiet_deadline = muster_now(), due_time = muster_now() WHERE job_id = '${jobId}'`,
    );
  }

  /** A time of the job's row, in seconds from now; null if it is not set. */
  async function secondsUntil(key: AttemptKey, column: string): Promise<number | null> {
    const row = await readRow(context, 'job_runs', key.jobId);
    return row?.[column] === null ? null : Math.round((row?.[column] - nowUs) / SECOND_US);
  }

  const runSeconds = RUN_MS / 1_000 + SLACK_US / SECOND_US;

  describe('a running attempt', () => {
    it('without limits of its own has its run timeout due, and progress does not move it', async () => {
      const key = await running({});
      const before = await readRow(context, 'job_runs', key.jobId);
      expect(await secondsUntil(key, 'due_time')).toBe(runSeconds);
      await say(key, 1, { fraction: 0.5 });
      expect((await readRow(context, 'job_runs', key.jobId))?.due_time).toBe(before?.due_time);
    });

    it('has the first of its limits due', async () => {
      const deadlineUs = nowUs + 30 * SECOND_US;
      const key = await running({ deadlineUs, progressTimeoutMs: 20_000, watchWindowMs: 10_000 });
      expect(await secondsUntil(key, 'due_time')).toBe(10);
      expect(await secondsUntil(key, 'quiet_deadline')).toBe(20);
      expect(await secondsUntil(key, 'deadline')).toBe(30);
      expect(await secondsUntil(key, 'run_deadline')).toBe(runSeconds);
    });

    it('restarts its silence limit with each report, also with one that repeats the last', async () => {
      const key = await running({ progressTimeoutMs: 20_000 });
      await makeDue(key);
      await say(key, 1, { fraction: 0 });
      expect(await secondsUntil(key, 'due_time')).toBe(20);
      await makeDue(key);
      await say(key, 2, { fraction: 0 });
      expect(await secondsUntil(key, 'due_time')).toBe(20);
    });

    it('gets the time that its handler requests, from its start, and keeps the longest request', async () => {
      const key = await running({});
      await say(key, 1, { extensionMs: 30_000 });
      expect(await secondsUntil(key, 'due_time')).toBe(runSeconds + 30);
      await say(key, 2, { extensionMs: 30_000 });
      await say(key, 3, { extensionMs: 10_000 });
      await say(key, 4, { fraction: 0.5 });
      expect(await secondsUntil(key, 'due_time')).toBe(runSeconds + 30);
    });

    it('gets no more than 30 days', async () => {
      const key = await running({});
      await say(key, 1, { extensionMs: 31 * 86_400_000 });
      expect(await secondsUntil(key, 'run_deadline')).toBe(30 * 86_400 + 2);
    });

    it('gets no more than its deadline leaves', async () => {
      const laneId = await makeLane(context);
      const job = makeJob(laneId, { runTimeoutMs: RUN_MS, deadlineUs: nowUs + 10 * SECOND_US });
      await context.store.submit([makeCall([job])]);
      const { sessionId } = await openWorker(context);
      const { runTimeoutMs } = only(await claimMany(context, laneId, sessionId, 1));
      expect(runTimeoutMs).toBeGreaterThan(0);
      expect(runTimeoutMs).toBeLessThanOrEqual(10_000);
    });
  });

  describe('a time request before an attempt is seen running', () => {
    it('counts once it runs', async () => {
      const laneId = await makeLane(context);
      await context.store.submit([makeCall([makeJob(laneId, { runTimeoutMs: RUN_MS })])]);
      const { sessionId } = await openWorker(context);
      const key = keyOf(only(await claimMany(context, laneId, sessionId, 1)));
      await say(key, 1, { extensionMs: 30_000 });
      expect(await secondsUntil(key, 'due_time')).toBe(null);
      await context.store.observe([key], 0);
      expect(await secondsUntil(key, 'due_time')).toBe(runSeconds + 30);
    });
  });

  describe('a job with a deadline', () => {
    it('has it due while it waits, unless its expiry comes first', async () => {
      const laneId = await makeLane(context);
      const deadlineUs = nowUs + 30 * SECOND_US;
      const jobs = [makeJob(laneId, { deadlineUs }), makeJob(laneId, { deadlineUs, expireTimeUs: nowUs + SECOND_US })];
      await context.store.submit([makeCall(jobs)]);
      const due = await Promise.all(jobs.map((job) => readRow(context, 'job_runs', job.jobId)));
      expect(due.map((row) => row?.due_time)).toEqual([deadlineUs, nowUs + SECOND_US]);
    });
  });
}
