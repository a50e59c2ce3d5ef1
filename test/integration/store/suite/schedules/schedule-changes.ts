/** Changes of schedules in the store: earlier times are decided once, whatever is changed. */
import { describe, expect, it } from 'vitest';
import { TIME_CAUSE_ID } from '../../../../../server/domain/schedules/decide-schedule.ts';
import type { Interval } from '../../../../../server/domain/schedules/nominal-times.ts';
import type { ScheduleRules } from '../../../../../server/domain/schedules/schedule.ts';
import type { Schedule, ScheduleSpec } from '../../../../../server/engine/ports/schedules.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { decide, decideLast, makeSchedule } from '../../../../support/store/store-schedules.ts';

const SECOND_US = 1_000_000;
const DAY_MS = 86_400_000;
const TEN_YEARS_MS = 3_650 * DAY_MS;

function rulesOf(intervals: readonly Interval[], changes: Partial<ScheduleRules> = {}): ScheduleRules {
  const { rules } = makeSchedule();
  return { ...rules, ...changes, times: { ...rules.times, intervals } };
}

const eachSecond = [{ everyMs: 1_000, offsetMs: 0 }];
const eachHalfMinute = [{ everyMs: 30_000, offsetMs: 0 }];

export function scheduleChangesSuite(context: StoreContext): void {
  const schedules = () => context.store.schedules;

  async function apply(spec: ScheduleSpec): Promise<Schedule> {
    const change = await schedules().apply(spec, '', crypto.randomUUID(), decideLast, Date.now() * 1_000);
    if (change.kind !== 'done') throw new Error(change.kind);
    return change.schedule;
  }

  async function scanAll(): Promise<void> {
    while ((await schedules().scan(decide, Date.now() * 1_000)).length > 0);
  }

  /** Moves the last scan of the schedule that far back. */
  const unseenFor = ({ scheduleId }: Schedule, seconds: number) =>
    sql(
      context,
      `UPDATE schedules SET decided_until = muster_now() - interval '${seconds} s', scan_time = muster_now() WHERE schedule_id = '${scheduleId}'`,
    );

  async function decidedUntil({ scheduleId }: Schedule): Promise<number> {
    const [row] = await sql(context, `SELECT decided_until FROM schedules WHERE schedule_id = '${scheduleId}'`);
    return row?.decided_until;
  }

  /** Its recorded times, including each second of times that share a row. */
  async function timesOf({ scheduleId }: Schedule): Promise<number[]> {
    const { runs } = await schedules().listRuns(scheduleId, undefined, 1_000);
    expect(runs.every(({ causeId }) => causeId === TIME_CAUSE_ID)).toBe(true);
    return runs
      .flatMap(({ nominalUs, times }) => Array.from({ length: times }, (_, i) => nominalUs + i * SECOND_US))
      .sort((a, b) => a - b);
  }

  const seconds = (afterUs: number, toUs: number) => {
    const first = Math.floor(afterUs / SECOND_US) + 1;
    return Array.from({ length: Math.floor(toUs / SECOND_US) - first + 1 }, (_, i) => (first + i) * SECOND_US);
  };

  /** A schedule with one time, a moment ago, whose random start is within a day. */
  async function putOff(): Promise<{ readonly spec: ScheduleSpec; readonly nominalUs: number }> {
    const nominalMs = Math.floor((await context.store.nowUs()) / 1_000) - 5_000;
    const rules = rulesOf([{ everyMs: TEN_YEARS_MS, offsetMs: nominalMs % TEN_YEARS_MS }], { jitterMs: DAY_MS });
    return { spec: makeSchedule({ rules }), nominalUs: nominalMs * 1_000 };
  }

  describe('schedules', () => {
    it.each([
      ['their description', { description: 'another' }],
      ['their job', { job: { ...makeSchedule().job, queue: 'another' } }],
      ['their policies', { rules: rulesOf(eachSecond, { catchUpWindowMs: 60_000, pauseOnFailure: true }) }],
      ['their number of runs', { maxRuns: 1_000 }],
    ] as const)('changed in %s record each time before and after the change', async (_, changes) => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond), maxRuns: 900 });
      const made = await apply(spec);
      await unseenFor(made, 5);
      const from = await decidedUntil(made);
      await apply({ ...spec, ...changes });
      await scanAll();
      const times = await timesOf(made);
      expect(times).toEqual(seconds(from, await decidedUntil(made)));
      expect(times.length).toBeGreaterThanOrEqual(5);
      await schedules().delete(spec);
    });

    it('changed in their times record earlier times by the old rules and later ones by the new rules', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const made = await apply(spec);
      await unseenFor(made, 5);
      const from = await decidedUntil(made);
      const changed = await apply({ ...spec, rules: rulesOf(eachHalfMinute) });
      const until = await decidedUntil(made);
      expect(until).toBeLessThanOrEqual(changed.updateTimeUs);
      expect(await timesOf(made)).toEqual(seconds(from, until));
      await unseenFor(made, 60);
      await sql(context, `DELETE FROM schedule_runs WHERE schedule_id = '${made.scheduleId}'`);
      await scanAll();
      const later = await timesOf(made);
      expect(later.length).toBeGreaterThanOrEqual(2);
      expect(later.every((us) => us % (30 * SECOND_US) === 0)).toBe(true);
      await schedules().delete(spec);
    });

    it('changed in their times while paused record earlier times as paused', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const made = await apply(spec);
      await schedules().pause(spec, 'a test');
      await unseenFor(made, 5);
      const from = await decidedUntil(made);
      await apply({ ...spec, rules: rulesOf(eachHalfMinute) });
      expect(await timesOf(made)).toEqual(seconds(from, await decidedUntil(made)));
      const { runs } = await schedules().listRuns(made.scheduleId, undefined, 10);
      expect(runs.map(({ skipReason }) => skipReason)).toEqual(['PAUSED']);
      await schedules().delete(spec);
    });

    it('that are resumed record earlier times as paused', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const made = await apply(spec);
      await schedules().pause(spec, 'a test');
      await unseenFor(made, 5);
      const from = await decidedUntil(made);
      const change = await schedules().resume(spec, decide, Date.now() * 1_000);
      expect(change).toMatchObject({ kind: 'done', schedule: { paused: false } });
      expect(await timesOf(made)).toEqual(seconds(from, await decidedUntil(made)));
      expect((await timesOf(made)).length).toBeGreaterThanOrEqual(5);
      const { runs } = await schedules().listRuns(made.scheduleId, undefined, 10);
      expect(runs.map(({ skipReason }) => skipReason)).toEqual(['PAUSED']);
      await schedules().delete(spec);
    });

    it('changed in anything but their times keep the start of a delayed run', async () => {
      const { spec, nominalUs } = await putOff();
      const made = await apply(spec);
      await unseenFor(made, 60);
      await apply({ ...spec, description: 'another' });
      await scanAll();
      expect(await timesOf(made)).toEqual([]);
      expect((await schedules().read(spec))?.nextTimeUs).toBe(nominalUs);
      await schedules().delete(spec);
    });

    it('changed in their times start a delayed run at once', async () => {
      const { spec, nominalUs } = await putOff();
      const made = await apply(spec);
      await unseenFor(made, 60);
      await apply({ ...spec, rules: rulesOf(eachHalfMinute) });
      const [run, ...more] = (await schedules().listRuns(made.scheduleId, undefined, 10)).runs;
      expect([run?.nominalUs, run?.state, more]).toEqual([nominalUs, 'STARTING', []]);
      // The next scan carries it out.
      const scanned = await schedules().scan(decide, Date.now() * 1_000);
      expect(scanned.flatMap(({ starting }) => starting)).toMatchObject([{ nominalUs }]);
      await schedules().delete(spec);
    });

    it('wait while only the clock of the database says that they are due', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const made = await apply(spec);
      const nowUs = await context.store.nowUs();
      expect(await schedules().scan(decide, nowUs - 3_600e6)).toEqual([]);
      expect(await decidedUntil(made)).toBeLessThan(nowUs + 1e6);
      await schedules().delete(spec);
    });

    it('begin at the time of the replica, also if the clock of the database is an hour ahead', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const ownUs = (await context.store.nowUs()) - 3_600e6;
      const change = await schedules().apply(spec, '', crypto.randomUUID(), decideLast, ownUs);
      if (change.kind !== 'done') throw new Error(change.kind);
      expect(await decidedUntil(change.schedule)).toBe(ownUs + 1e6);
      await schedules().delete(spec);
    });

    it('refuse a change of their times while more runs are due than one scan decides', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond) });
      const made = await apply(spec);
      await unseenFor(made, 300);
      const from = await decidedUntil(made);
      const other = { ...spec, rules: rulesOf(eachHalfMinute) };
      expect(await schedules().apply(other, '', crypto.randomUUID(), decideLast, Date.now() * 1_000)).toEqual({
        kind: 'behind',
      });
      expect((await schedules().read(spec))?.rules).toEqual(spec.rules);
      await scanAll();
      await apply(other);
      expect(await timesOf(made)).toEqual(seconds(from, await decidedUntil(made)));
      await schedules().delete(spec);
    });

    it('changed in their number of runs after their end have no times from before the change', async () => {
      const spec = makeSchedule({ rules: rulesOf(eachSecond), maxRuns: 1 });
      const made = await apply(spec);
      await unseenFor(made, 5);
      await scanAll();
      expect(await timesOf(made)).toHaveLength(1);
      await apply({ ...spec, maxRuns: 100 });
      expect(await timesOf(made)).toHaveLength(1);
      const before = (await schedules().read(spec))?.updateTimeUs ?? 0;
      await sql(context, `UPDATE schedules SET scan_time = muster_now() WHERE schedule_id = '${made.scheduleId}'`);
      await scanAll();
      for (const us of (await timesOf(made)).slice(1)) expect(us).toBeGreaterThan(before);
      await schedules().delete(spec);
    });
  });
}
