/**
 * Schedules in the store: applied once, scanned by one replica at a time, with the outcomes of their times and jobs.
 */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail } from '../../../../../server/domain/jobs/decide.ts';
import type { ScheduleStatus } from '../../../../../server/domain/schedules/decide-schedule.ts';
import type { DecideSchedule, Schedule, ScheduleSpec } from '../../../../../server/engine/ports/schedules.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, holdOne, keyOf } from '../../../../support/store/store-fixtures.ts';
import { askedRun, decide, decideLast, makeSchedule } from '../../../../support/store/store-schedules.ts';

/** Never fires by itself. */
const idle = { ...makeSchedule().rules, times: { ...makeSchedule().rules.times, intervals: [], crons: ['0 0 1 1 *'] } };
const policy = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };

export function schedulesSuite(context: StoreContext): void {
  async function apply(spec: ScheduleSpec, etag = ''): Promise<Schedule> {
    const change = await context.store.schedules.apply(spec, etag, crypto.randomUUID(), decideLast, Date.now() * 1_000);
    if (change.kind !== 'done') throw new Error(change.kind);
    return change.schedule;
  }

  /** Scans until nothing is due, and returns what was seen of one schedule. */
  async function scan(scheduleId: string, decideIt: DecideSchedule = decide) {
    const statuses: ScheduleStatus[] = [];
    const scanned = [];
    const tapped: DecideSchedule = (schedule, status, nowUs) => {
      if (schedule.scheduleId === scheduleId) statuses.push(status);
      return decideIt(schedule, status, nowUs);
    };
    for (;;) {
      const some = await context.store.schedules.scan(tapped, Date.now() * 1_000);
      if (some.length === 0) break;
      scanned.push(...some.filter(({ schedule }) => schedule.scheduleId === scheduleId));
    }
    return { statuses, scanned };
  }

  const wake = (scheduleId: string) =>
    sql(context, `UPDATE schedules SET scan_time = muster_now() - interval '1 s' WHERE schedule_id = '${scheduleId}'`);

  describe('schedules', () => {
    it('are read as they were given, byte for byte, and applying the same again changes nothing', async () => {
      const input = { data: Buffer.of(0, 255, 128), contentType: 'x/y', metadata: { a: 'ä' } };
      const job = { definition: 'd', definitionVersion: 3, queue: 'q', input, labels: { l: '1' }, priority: -5 };
      const spec = makeSchedule({ job, maxRuns: 7, description: 'for\nall' });
      const made = await apply(spec);
      expect(made).toMatchObject({ ...spec, paused: false, jobs: 0 });
      expect(await apply(spec)).toEqual(made);
      const other = await apply({ ...spec, job: { ...job, input: { ...input, data: Buffer.of(0, 255) } } });
      expect(other.etag).not.toBe(made.etag);
      expect(other.scheduleId).toBe(made.scheduleId);
      expect(
        await context.store.schedules.apply(spec, made.etag, crypto.randomUUID(), decideLast, Date.now() * 1_000),
      ).toEqual({
        kind: 'stale',
        etag: other.etag,
      });
      expect(await context.store.schedules.read({ ...spec, namespace: 'other' })).toBeUndefined();
      await context.store.schedules.delete(spec);
    });

    it('are scanned by one replica at a time', async () => {
      const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
      await context.store.schedules.ask(spec, [askedRun(1_000_000)]);
      const seen = await Promise.all(Array.from({ length: 4 }, () => scan(scheduleId)));
      // On a slow machine the run may be started twice, because it was not settled yet.
      const firsts = seen.flatMap(({ statuses }) => statuses).filter(({ asked }) => asked.length > 0);
      expect(firsts).toHaveLength(1);
      await context.store.schedules.delete(spec);
    });

    it('are settled together, each with its own runs', async () => {
      const made = [await apply(makeSchedule({ rules: idle })), await apply(makeSchedule({ rules: idle }))];
      const runs = [askedRun(3_000_000), askedRun(3_000_000), askedRun(4_000_000)];
      const [here, there] = made as [(typeof made)[0], (typeof made)[0]];
      await context.store.schedules.ask(here, runs.slice(0, 1));
      await context.store.schedules.ask(there, runs.slice(1));
      for (const { scheduleId } of made) await scan(scheduleId);
      const started = runs.map((run) => ({ ...run, jobId: crypto.randomUUID(), message: '' }));
      await context.store.schedules.settle([
        { scheduleId: there.scheduleId, results: started.slice(1) },
        { scheduleId: here.scheduleId, results: started.slice(0, 1) },
        { scheduleId: crypto.randomUUID(), results: started.slice(0, 1) },
      ]);
      expect((await context.store.schedules.read(here))?.jobs).toBe(1);
      expect((await context.store.schedules.read(there))?.jobs).toBe(2);
      const first = await context.store.schedules.readRun(here.scheduleId, runs[0]?.causeId ?? '');
      expect(first).toMatchObject({ state: 'STARTED', jobId: started[0]?.jobId });
    });

    it('repeat a run that was not settled, and settle it once', async () => {
      const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
      const run = askedRun(2_000_000);
      await context.store.schedules.ask(spec, [run]);
      await scan(scheduleId);
      await wake(scheduleId);
      const again = await scan(scheduleId);
      expect(again.scanned.flatMap(({ starting }) => starting)).toEqual([run]);
      expect(again.statuses[0]).toMatchObject({ open: 1, asked: [], buffered: [] });
      const jobId = crypto.randomUUID();
      await context.store.schedules.settle([{ scheduleId, results: [{ ...run, jobId, message: '' }] }]);
      await context.store.schedules.settle([
        { scheduleId, results: [{ ...run, jobId: crypto.randomUUID(), message: '' }] },
      ]);
      expect(await context.store.schedules.readRun(scheduleId, run.causeId)).toMatchObject({ state: 'STARTED', jobId });
      expect((await context.store.schedules.read(spec))?.jobs).toBe(1);
      await context.store.schedules.delete(spec);
      expect(await sql(context, `SELECT FROM schedule_runs WHERE schedule_id = '${scheduleId}'`)).toEqual([]);
    });

    it('know which of their jobs are open, and which has failed; a cancelled one has not', async () => {
      const fates = {
        open: async () => {},
        succeeded: async (job: Parameters<typeof completionOf>[0]) =>
          void (await context.store.complete([completionOf(job)])),
        failed: async (job: Parameters<typeof keyOf>[0]) =>
          void (await context.store.change({ by: 'attempts', attempts: [keyOf(job)] }, (run, nowUs) =>
            decideFail(run, systemFailure('APPLICATION', 'Oops', 'it broke'), policy, { nowUs, random: 0 }),
          )),
        cancelled: async (job: Parameters<typeof keyOf>[0]) => {
          const jobs = { by: 'jobs', namespace: 'default', jobIds: [keyOf(job).jobId] } as const;
          await context.store.change(jobs, (run, nowUs) => decideCancel(run, '', 1, { nowUs, random: 0 }));
          await context.store.change({ by: 'attempts', attempts: [keyOf(job)] }, (run, nowUs) =>
            decideFail(run, systemFailure('APPLICATION', 'Oops', 'it broke'), policy, { nowUs, random: 0 }),
          );
        },
      };
      const expected = { open: [1, false], succeeded: [0, false], failed: [0, true], cancelled: [0, false] };
      for (const [name, end] of Object.entries(fates)) {
        const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
        const job = await holdOne(context);
        const run = askedRun(3_000_000);
        await context.store.schedules.ask(spec, [run]);
        await scan(scheduleId);
        await context.store.schedules.settle([{ scheduleId, results: [{ ...run, jobId: job.jobId, message: '' }] }]);
        await end(job);
        const { statuses } = await scan(scheduleId);
        const [open, hasFailed] = expected[name as keyof typeof expected];
        expect([name, statuses[0]?.open, statuses[0]?.failedJobId]).toEqual([
          name,
          open,
          hasFailed ? job.jobId : undefined,
        ]);
        await wake(scheduleId);
        expect((await scan(scheduleId)).statuses[0]?.failedJobId).toBeUndefined();
        await context.store.schedules.delete(spec);
      }
    });

    it('cancel the open jobs that a new run replaces', async () => {
      const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
      const job = await holdOne(context);
      const run = askedRun(4_000_000);
      await context.store.schedules.ask(spec, [run]);
      await scan(scheduleId);
      await context.store.schedules.settle([{ scheduleId, results: [{ ...run, jobId: job.jobId, message: '' }] }]);
      await scan(scheduleId);
      await context.store.schedules.ask(spec, [askedRun(5_000_000, 'TERMINATE_OTHER')]);
      const { scanned } = await scan(scheduleId);
      expect(scanned[0]?.cancelJobIds).toEqual([job.jobId]);
      // The cancel is repeated as long as the new run has no job: the replica may have died before it sent the cancel.
      await wake(scheduleId);
      const again = await scan(scheduleId);
      expect(again.scanned[0]?.cancelJobIds).toEqual([job.jobId]);
      await context.store.schedules.delete(spec);
    });

    it('keep the newest thousand runs and the waiting ones', async () => {
      const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
      const waiting = askedRun(6_000_000, 'BUFFER_ALL');
      await context.store.schedules.ask(spec, [askedRun(5_000_000), waiting]);
      await scan(scheduleId);
      await sql(
        context,
        `INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, skip_reason, decide_time)
         SELECT '${scheduleId}', '2000-01-01'::timestamptz + n * interval '1 s', '${crypto.randomUUID()}', 1, 1, 5, true, 1, muster_now()
         FROM generate_series(1, 1200) AS n`,
      );
      await context.store.schedules.ask(spec, [askedRun(2_000_000_000_000_000, 'SKIP')]);
      await scan(scheduleId);
      const [left] = await sql(
        context,
        `SELECT count(*)::int AS runs, count(*) FILTER (WHERE NOT settled)::int AS unsettled, count(*) FILTER (WHERE nominal_time < '2000-01-01 00:03')::int AS old
         FROM schedule_runs WHERE schedule_id = '${scheduleId}' AND settled OR schedule_id = '${scheduleId}'`,
      );
      // The newest thousand and the one at the edge; the unsettled ones are older, and stay.
      expect(left).toMatchObject({ unsettled: 2, runs: 1_003, old: 2 });
      await context.store.schedules.delete(spec);
    });

    it('refuse more than a thousand waiting runs', async () => {
      const { scheduleId, ...spec } = await apply(makeSchedule({ rules: idle }));
      const many = Array.from({ length: 1_000 }, (_, i) => askedRun((i + 1) * 1_000_000, 'BUFFER_ALL'));
      expect(await context.store.schedules.ask(spec, many)).toMatchObject({ kind: 'done' });
      expect(await context.store.schedules.ask(spec, [askedRun(1)])).toEqual({ kind: 'full', pending: 1_000 });
      await scan(scheduleId);
      expect(await context.store.schedules.ask(spec, [askedRun(1)])).toMatchObject({ kind: 'done' });
      await context.store.schedules.delete(spec);
    });

    it('end at their number of runs, also if that is lowered', async () => {
      const spec = makeSchedule({ maxRuns: 3, overlap: 'ALLOW_ALL' });
      const { scheduleId } = await apply(spec);
      await sql(
        context,
        `UPDATE schedules SET decided_until = muster_now() - interval '1 min', runs_left = 2 WHERE schedule_id = '${scheduleId}'`,
      );
      const { scanned } = await scan(scheduleId);
      expect(scanned.flatMap(({ starting }) => starting)).toHaveLength(2);
      const [row] = await sql(
        context,
        `SELECT runs_left, next_time FROM schedules WHERE schedule_id = '${scheduleId}'`,
      );
      expect(row).toEqual({ runs_left: 0, next_time: null });
      await apply({ ...spec, maxRuns: 1 });
      const [after] = await sql(
        context,
        `SELECT max_runs, runs_left FROM schedules WHERE schedule_id = '${scheduleId}'`,
      );
      expect(after).toEqual({ max_runs: 1, runs_left: 1 });
      await context.store.schedules.delete(spec);
    });

    it('are listed by name, in pages of bounded size', async () => {
      const namespace = `ns-${crypto.randomUUID().slice(0, 8)}`;
      const input = { data: new Uint8Array(500_000), contentType: '' };
      const job = { ...makeSchedule().job, input };
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const name of names) await apply(makeSchedule({ namespace, name, job, rules: idle }));
      const found: string[] = [];
      let pages = 0;
      for (let after = ''; ; pages++) {
        const page = await context.store.schedules.list(namespace, 'SCHEDULE', after, 5);
        found.push(...page.schedules.map(({ name }) => name));
        after = found.at(-1) ?? '';
        if (!page.hasMore) break;
      }
      expect([found, pages]).toEqual([names, 1]);
      for (const name of names) await context.store.schedules.delete({ namespace, name, kind: 'SCHEDULE' });
    });
  });
}
