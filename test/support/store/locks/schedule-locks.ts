/** Scans, results and changes of schedules. */
import type { ScheduleSpec } from '../../../../server/engine/ports/schedules.ts';
import type { StoreContext } from '../store-context.ts';
import { submitMany } from '../store-fixtures.ts';
import { askedRun, decide, decideLast, makeSchedule } from '../store-schedules.ts';
import { endedRow } from '../store-states.ts';
import { groupOf, type LockedRows, type Operation, turned } from './locked-rows.ts';

interface ScheduleRows {
  readonly specs: readonly ScheduleSpec[];
  /** Ids of the schedules, each also the cause of its run that is being started. */
  readonly scheduleIds: readonly string[];
  /** Time of the runs. */
  readonly nominalUs: number;
}

const operations: Record<string, Operation<ScheduleRows>> = {
  'scan schedules': async ({ schedules }) => {
    await schedules.scan(decide, Date.now() * 1_000);
    await schedules.scan(decide, Date.now() * 1_000);
  },
  'settle runs of schedules': ({ schedules }, isReversed, { scheduleIds, nominalUs }) =>
    schedules.settle(
      turned(scheduleIds, isReversed).map((scheduleId) => ({
        scheduleId,
        results: [{ nominalUs, causeId: scheduleId, jobId: crypto.randomUUID(), message: '' }],
      })),
    ),
  'change schedules': async ({ schedules }, isReversed, { specs, nominalUs }) => {
    for (const spec of turned(specs, isReversed)) {
      const rules = { ...spec.rules, jitterMs: isReversed ? 1 : 2 };
      await schedules.apply({ ...spec, rules }, '', crypto.randomUUID(), decideLast, Date.now() * 1_000);
      await schedules.pause(spec, 'again');
      await schedules.ask(spec, turned([askedRun(nominalUs), askedRun(nominalUs + 1)], isReversed));
      await schedules.resume(spec, decide, Date.now() * 1_000);
    }
  },
  'delete and make schedules': async ({ schedules }, isReversed, { specs }) => {
    for (const spec of turned(specs, isReversed)) {
      await schedules.delete(spec);
      await schedules.apply(spec, '', crypto.randomUUID(), decideLast, Date.now() * 1_000);
    }
  },
};

async function makeRows(
  context: StoreContext,
  { laneId }: LockedRows,
): Promise<ScheduleRows & { readonly reset: string }> {
  const { schedules, nowUs } = context.store;
  const specs = [1, 2, 3].map(() => makeSchedule());
  const scheduleIds = specs.map(() => crypto.randomUUID()).sort();
  for (const [i, spec] of specs.entries())
    await schedules.apply(spec, '', scheduleIds[i] as string, decideLast, Date.now() * 1_000);
  await context.database.script('CREATE TABLE kept_schedules AS SELECT * FROM schedules');
  const nominalUs = Math.floor((await nowUs()) / 1_000_000) * 1_000_000 - 60_000_000;
  const [ended = ''] = await submitMany(context, laneId, 1);
  const time = `to_timestamp(${nominalUs / 1_000_000})`;
  // Of two runs per schedule one is being started, and the job of the other has ended.
  const reset = `
DELETE FROM schedules; DELETE FROM schedule_runs;
INSERT INTO schedules SELECT * FROM kept_schedules;
UPDATE schedules SET decided_until = muster_now() - interval '3 s', scan_time = muster_now();
INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, decide_time)
SELECT schedule_id, ${time}, schedule_id, 2, 6, 3, false, muster_now() FROM schedules;
INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, job_id, decide_time)
SELECT schedule_id, ${time}, gen_random_uuid(), 2, 6, 4, false, '${ended}', muster_now() FROM schedules;
${endedRow('SUCCEEDED', ended)};`;
  return { specs, scheduleIds, nominalUs, reset };
}

export const scheduleLocks = groupOf(operations, makeRows);
