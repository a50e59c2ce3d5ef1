/** Schedules for store tests, and one call of each of their statements. */
import { decideSchedule } from '../../../server/domain/schedules/decide-schedule.ts';
import { NominalTimes } from '../../../server/domain/schedules/nominal-times.ts';
import type { PendingRun, ScheduleRules } from '../../../server/domain/schedules/schedule.ts';
import type { DecideSchedule, ScheduleSpec } from '../../../server/engine/ports/schedules.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import { payload } from './store-fixtures.ts';

export const decide: DecideSchedule = (schedule, status, nowUs) =>
  decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs);

/** Decides the past times of rules that are about to be replaced. */
export const decideLast: DecideSchedule = (schedule, status, nowUs) =>
  decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs, true);

/** A schedule that runs once a second unless overridden, with a unique name. */
export function makeSchedule(
  changes: Partial<ScheduleSpec> & { readonly overlap?: ScheduleRules['overlap'] } = {},
): ScheduleSpec {
  const { overlap = 'ALLOW_ALL', ...rest } = changes;
  return {
    namespace: 'default',
    name: `s-${crypto.randomUUID()}`,
    kind: 'SCHEDULE',
    description: '',
    job: { definition: 'd', definitionVersion: 0, queue: '', input: payload('input'), labels: {} },
    rules: {
      times: {
        crons: [],
        intervals: [{ everyMs: 1_000, offsetMs: 0 }],
        calendars: [],
        exclusions: [],
        timeZone: 'UTC',
      },
      jitterMs: 0,
      overlap,
      catchUp: 'ALL',
      catchUpWindowMs: 86_400_000,
      pauseOnFailure: false,
    },
    ...rest,
  };
}

/** A manual run. */
export function askedRun(nominalUs: number, overlap: PendingRun['overlap'] = 'ALLOW_ALL'): PendingRun {
  return { nominalUs, causeId: crypto.randomUUID(), cause: 'TRIGGER', overlap };
}

export async function useSchedules({ schedules, nowUs }: Store): Promise<void> {
  const spec = makeSchedule();
  const made = await schedules.apply(spec, '', crypto.randomUUID(), decideLast, Date.now() * 1_000);
  if (made.kind !== 'done') throw new Error('it was not there');
  const { scheduleId } = made.schedule;
  const rules = { ...spec.rules, jitterMs: 1 };
  await schedules.apply({ ...spec, rules, description: 'x' }, '', crypto.randomUUID(), decideLast, Date.now() * 1_000);
  await schedules.read(spec);
  await schedules.list('default', 'SCHEDULE', '', 10);
  await schedules.pause(spec, 'r');
  await schedules.resume(spec, decide, Date.now() * 1_000);
  const run = askedRun(await nowUs());
  await schedules.ask(spec, [run]);
  await schedules.scan(decide, Date.now() * 1_000);
  await schedules.settle([{ scheduleId, results: [{ ...run, jobId: crypto.randomUUID(), message: '' }] }]);
  await schedules.scan(decide, Date.now() * 1_000);
  await schedules.readRun(scheduleId, run.causeId);
  await schedules.listRuns(scheduleId, { nominalUs: run.nominalUs + 1, causeId: run.causeId }, 10);
  await schedules.readNextScanUs();
  await schedules.delete(spec);
}
