/** Attempt logs: stored once while the attempt is open in its session, cut to the newest 64 KiB, read in pages. */
import { describe, expect, it } from 'vitest';
import { decideAbort } from '../../../../../server/domain/jobs/decide.ts';
import type { AttemptKey } from '../../../../../server/engine/ports/attempts.ts';
import type { LogRecord } from '../../../../../server/engine/ports/logs.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  holdMany,
  holdOne,
  keyOf,
  newJobId,
  only,
  openWorker,
} from '../../../../support/store/store-fixtures.ts';

const KEPT_BYTES = 64 * 1024;

function record(sequence: number, changes: Partial<LogRecord> = {}): LogRecord {
  const message = `line ${sequence}`;
  return { sequence, timeUs: 1_700_000_000_123_456, level: 'INFO', message, fields: {}, truncated: false, ...changes };
}

export function attemptLogsSuite(context: StoreContext): void {
  const save = (key: AttemptKey, ...records: LogRecord[]) => context.store.saveLogs([{ ...keyOf(key), records }]);
  const start = { attempt: 0, sequence: 0 };
  const read = (jobId: string, limit = 1_000, after = start, attempt?: number) =>
    context.store.readLogs({ jobId, attempt, after, limit });
  const numbers = async (jobId: string) => (await read(jobId)).records.map((one) => `${one.attempt}.${one.sequence}`);

  async function nextAttempt(job: { jobId: string; laneId: number } & AttemptKey) {
    await context.store.change({ by: 'attempts', attempts: [keyOf(job)] }, (run, nowUs) =>
      decideAbort(run, { nowUs, random: 0 }),
    );
    await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${job.jobId}'`);
    const { sessionId } = await openWorker(context);
    return only(await claimMany(context, job.laneId, sessionId, 1));
  }

  describe('attempt logs', () => {
    it('are read as they were written, whatever they contain', async () => {
      const job = await holdOne(context);
      const message = 'ä "quoted" \\ \u0000 \u001b[31m\n\t\u2028 😀';
      const records = [
        record(1, { level: 'DEBUG', message }),
        record(2, { level: 'WARN', fields: { 'a b': message, __proto__x: '' }, truncated: true }),
        record(9, { level: 'ERROR', message: '' }),
      ];
      await save(job, ...records);
      expect(await read(job.jobId)).toEqual({
        records: records.map((one) => ({ attempt: 1, ...one })),
        hasMore: false,
      });
    });

    it('are stored once, however often and late they are sent', async () => {
      const job = await holdOne(context);
      await save(job, record(1), record(2));
      await save(job, record(1), record(2), record(3));
      await save(job, record(2));
      await Promise.all([save(job, record(3), record(4)), save(job, record(3), record(4), record(5)), save(job)]);
      expect(await numbers(job.jobId)).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5']);
      expect(await sql(context, `SELECT FROM attempt_logs WHERE job_id = '${job.jobId}'`)).toHaveLength(1);
    });

    it('are accepted only for an open attempt of the session', async () => {
      const [one, two] = await holdMany(context, 2);
      if (!one || !two) throw new Error('two jobs were claimed');
      const other = await openWorker(context);
      await save({ ...one, attempt: 2 }, record(1));
      await save({ ...one, sessionId: other.sessionId }, record(1));
      const both = [one.sessionId, other.sessionId].map((sessionId) => ({
        ...keyOf(one),
        sessionId,
        records: [record(1, { message: sessionId })],
      }));
      await context.store.saveLogs(both);
      expect((await read(one.jobId)).records.map((kept) => kept.message)).toEqual([one.sessionId]);
      await context.store.complete([completionOf(two)]);
      await save(two, record(1));
      await context.store.closeSessions([one.sessionId], 'CLOSE');
      await save(one, record(2));
      expect((await read(one.jobId)).records).toHaveLength(1);
      expect(await read(two.jobId)).toEqual({ records: [], hasMore: false });
    });

    it('stay when the job has ended, separately for each attempt', async () => {
      const job = await holdOne(context);
      await save(job, record(1), record(2));
      const second = await nextAttempt(job);
      await save(second, record(1), record(2), record(3));
      await save(job, record(3));
      await context.store.complete([completionOf(second)]);
      expect(await numbers(job.jobId)).toEqual(['1.1', '1.2', '2.1', '2.2', '2.3']);
      expect((await read(job.jobId, 10, start, 2)).records.map((one) => one.sequence)).toEqual([1, 2, 3]);
      expect((await read(job.jobId, 10, start, 3)).records).toEqual([]);
      expect((await read(newJobId())).records).toEqual([]);
    });

    it('are cut to the newest 64 KiB, in however many pieces they arrive', async () => {
      const job = await holdOne(context);
      const message = 'x'.repeat(1_000);
      for (let from = 1; from <= 400; from += 40)
        await save(job, ...Array.from({ length: 40 }, (_, i) => record(from + i, { message })));
      const { records } = await read(job.jobId);
      expect(records.at(-1)?.sequence).toBe(400);
      expect(records.map((one) => one.sequence)).toEqual(records.map((_, i) => 401 - records.length + i));
      expect(records.length * 1_000).toBeLessThan(KEPT_BYTES);
      expect(records.length * 1_000).toBeGreaterThan(KEPT_BYTES * 0.8);
      await save(job, ...Array.from({ length: 1_000 }, (_, i) => record(401 + i, { message })));
      const [row] = await sql(
        context,
        `SELECT sum(octet_length(data))::int AS bytes, count(*)::int AS chunks FROM attempt_logs WHERE job_id = '${job.jobId}'`,
      );
      expect(row?.bytes).toBeLessThanOrEqual(KEPT_BYTES);
      expect(row?.chunks).toBeLessThan(20);
      expect((await read(job.jobId)).records.at(-1)?.sequence).toBe(1_400);
    });

    it('that arrive line by line share their chunks', async () => {
      const job = await holdOne(context);
      for (let sequence = 1; sequence <= 100; sequence++) await save(job, record(sequence));
      expect((await read(job.jobId)).records).toHaveLength(100);
      expect(await sql(context, `SELECT FROM attempt_logs WHERE job_id = '${job.jobId}'`)).toHaveLength(1);
    });

    it('are read page by page, each continuing where the last one ended', async () => {
      const job = await holdOne(context);
      await save(job, ...Array.from({ length: 25 }, (_, i) => record(i + 1, { message: 'y'.repeat(900) })));
      const second = await nextAttempt(job);
      await save(second, ...Array.from({ length: 5 }, (_, i) => record(i + 1)));
      const seen: string[] = [];
      let after = start;
      for (let page = 0, hasMore = true; hasMore; page++) {
        const found = await read(job.jobId, 7, after);
        expect(found.records.length).toBeLessThanOrEqual(7);
        seen.push(...found.records.map((one) => `${one.attempt}.${one.sequence}`));
        after = found.records.at(-1) ?? after;
        hasMore = found.hasMore;
        if (page > 9) throw new Error('the pages do not end');
      }
      expect(seen).toEqual(await numbers(job.jobId));
      await save(second, record(6));
      expect((await read(job.jobId, 7, after)).records).toMatchObject([{ attempt: 2, sequence: 6 }]);
    });
  });
}
