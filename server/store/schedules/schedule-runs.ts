/** Rows of a schedule's runs. */
import {
  overlapPolicies,
  type PendingRun,
  type RunKey,
  scheduleRunCauses,
  scheduleRunStates,
} from '../../domain/schedules/schedule.ts';
import type { ScheduleRun, ScheduleRunPage } from '../../engine/ports/schedules.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import { runOf, scheduleRunRowType } from './schedule-rows.ts';

const listSome = {
  name: 'list_schedule_runs',
  text: `
SELECT ${columnsOf(scheduleRunRowType)} FROM schedule_runs
WHERE schedule_id = $1 AND ($2::timestamptz IS NULL OR (nominal_time, cause_id) < ($2::timestamptz, $3::uuid))
ORDER BY nominal_time DESC, cause_id DESC LIMIT $4`,
  row: scheduleRunRowType,
} satisfies Statement;

// A schedule has max 1,000 runs.
const readOne = {
  name: 'read_schedule_run',
  text: `SELECT ${columnsOf(scheduleRunRowType)} FROM schedule_runs
WHERE schedule_id = $1 AND cause_id = $2 ORDER BY nominal_time LIMIT 1`,
  row: scheduleRunRowType,
} satisfies Statement;

const countSome = {
  name: 'count_pending_schedule_runs',
  text: `
SELECT count(*)::int AS runs FROM (
  SELECT FROM schedule_runs WHERE schedule_id = $1 AND state IN (${scheduleRunStates.ASKED}, ${scheduleRunStates.BUFFERED}) AND NOT settled
  LIMIT 2000
) AS pending`,
  row: { runs: 'int4' },
} satisfies Statement;

const asked = { nominal_time: 'timestamptz', cause_id: 'uuid', cause: 'smallint', overlap: 'smallint' };

const insertMany = {
  name: 'insert_asked_schedule_runs',
  text: `
INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, decide_time)
SELECT $1, nominal_time, cause_id, cause, overlap, ${scheduleRunStates.ASKED}, false, (SELECT muster_now())
FROM ${inputTable(asked, 'i', 2)}
ORDER BY nominal_time, cause_id
ON CONFLICT DO NOTHING`,
};

/** Newest first. */
export async function listRuns(
  session: Session,
  scheduleId: string,
  before: RunKey | undefined,
  limit: number,
): Promise<ScheduleRunPage> {
  const position = [timestampOf(before?.nominalUs), before?.causeId ?? null];
  const rows = await session.run(listSome, [scheduleId, ...position, limit + 1]);
  return { runs: rows.slice(0, limit).map(runOf), hasMore: rows.length > limit };
}

export async function readRun(session: Session, scheduleId: string, causeId: string): Promise<ScheduleRun | undefined> {
  return (await session.run(readOne, [scheduleId, causeId])).map(runOf)[0];
}

/** Runs that wait for a decision or for their start, counted up to 2,000. */
export async function countPending(session: Session, scheduleId: string): Promise<number> {
  return (await session.run(countSome, [scheduleId]))[0]?.runs ?? 0;
}

export async function insertAsked(session: Session, scheduleId: string, runs: readonly PendingRun[]): Promise<void> {
  await session.run(insertMany, [
    scheduleId,
    runs.map((run) => run.nominalUs),
    runs.map((run) => run.causeId),
    runs.map((run) => scheduleRunCauses[run.cause]),
    runs.map((run) => overlapPolicies[run.overlap]),
  ]);
}

const readInputs = {
  name: 'read_trigger_run_inputs',
  text: `
SELECT r.cause_id, r.input FROM ${inputTable({ nominal_time: 'timestamptz', cause_id: 'uuid' }, 'i', 2)}
CROSS JOIN LATERAL (
  SELECT cause_id, input FROM schedule_runs
  WHERE schedule_id = $1 AND schedule_runs.nominal_time = i.nominal_time AND schedule_runs.cause_id = i.cause_id OFFSET 0
) AS r
WHERE r.input IS NOT NULL`,
  row: { cause_id: 'uuid', input: 'bytea' },
} satisfies Statement;

export async function readRunInputs(
  session: Session,
  scheduleId: string,
  runs: readonly RunKey[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const rows = await session.run(readInputs, [
    scheduleId,
    runs.map((run) => run.nominalUs),
    runs.map((run) => run.causeId),
  ]);
  return new Map(rows.map((row) => [row.cause_id, row.input]));
}
