/** Scans due schedules: locks them, lets the caller decide each, and writes the decisions. */

import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { ScheduleDecision } from '../../domain/schedules/decide-schedule.ts';
import {
  overlapPolicies,
  type RunKey,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedules/schedule.ts';
import type { DecideSchedule, ScannedSchedule, Settlement } from '../../engine/ports/schedules.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { pendingRunOf, scheduleOf, scheduleRowType, scheduleRunRowType } from './schedule-rows.ts';

const { ASKED, BUFFERED, STARTING, STARTED, SKIPPED } = scheduleRunStates;

/** Max schedules per scan. */
const MAX_SCHEDULES = 32;
/** Max unsettled runs of a schedule read per scan, those without a job first. */
const MAX_RUNS = 3_000;
/** Max runs kept per schedule. */
const KEPT_RUNS = 1_000;
/** A run that is to get a job is retried after this, in case its replica has died. */
const START_AGAIN_MS = 2_000;

const lockDue = {
  name: 'lock_due_schedules',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time)
SELECT s.*, now.time AS now FROM schedules s, now
WHERE s.scan_time <= (SELECT time FROM now) ORDER BY s.scan_time LIMIT ${MAX_SCHEDULES} FOR UPDATE OF s SKIP LOCKED`,
  row: { ...scheduleRowType, now: 'timestamptz' },
} satisfies Statement;

// The outcomes of the jobs are read in the same statement: at any moment a job is open or has its outcome.
const readUnsettled = {
  name: 'read_unsettled_schedule_runs',
  text: `
WITH unsettled AS MATERIALIZED (
  SELECT r.* FROM (SELECT unnest($1::uuid[]) AS schedule_id) AS i
  CROSS JOIN LATERAL (
    SELECT * FROM schedule_runs WHERE schedule_id = i.schedule_id AND NOT settled ORDER BY state, nominal_time LIMIT ${MAX_RUNS}
  ) AS r
)
SELECT u.*, r.job_id IS NOT NULL AS is_open, o.state AS end_state FROM unsettled u
LEFT JOIN LATERAL (SELECT job_id FROM job_runs WHERE job_runs.job_id = u.job_id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (SELECT state FROM job_outcomes WHERE job_outcomes.job_id = u.job_id OFFSET 0) AS o ON true
ORDER BY u.state, u.nominal_time`,
  row: { ...scheduleRunRowType, is_open: 'bool', end_state: 'int2?' },
} satisfies Statement;

type DueSchedule = RowOf<typeof lockDue>;
type UnsettledRun = RowOf<typeof readUnsettled>;

const decided = {
  schedule_id: 'uuid',
  nominal_time: 'timestamptz',
  cause_id: 'uuid',
  cause: 'smallint',
  overlap: 'smallint',
  state: 'smallint',
  skip_reason: 'smallint',
  last_nominal_time: 'timestamptz',
  times: 'int',
};

const writeMany = {
  name: 'write_schedule_runs',
  text: `
INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, skip_reason, last_nominal_time,
                           times, decide_time)
SELECT schedule_id, nominal_time, cause_id, cause, overlap, state, state = ${SKIPPED}, skip_reason, last_nominal_time, times,
       (SELECT muster_now())
FROM ${inputTable(decided, 'i')}
ORDER BY schedule_id, nominal_time, cause_id
ON CONFLICT (schedule_id, nominal_time, cause_id) DO UPDATE
SET state = excluded.state, settled = excluded.settled, skip_reason = excluded.skip_reason, decide_time = excluded.decide_time`,
};

const keys = { nominal_time: 'timestamptz', cause_id: 'uuid' };

const settleEnded = {
  name: 'settle_ended_schedule_runs',
  text: `
UPDATE schedule_runs r SET settled = true FROM ${inputTable({ schedule_id: 'uuid', ...keys }, 'i')}
WHERE ${sameKey('r.schedule_id', 'i.schedule_id')} AND ${sameKey('r.nominal_time', 'i.nominal_time')} AND ${sameKey('r.cause_id', 'i.cause_id')}`,
};

const forgetOld = {
  name: 'forget_old_schedule_runs',
  text: `
WITH oldest AS MATERIALIZED (
  SELECT i.schedule_id, k.nominal_time FROM (SELECT unnest($1::uuid[]) AS schedule_id) AS i CROSS JOIN LATERAL (
    SELECT nominal_time FROM schedule_runs WHERE schedule_id = i.schedule_id ORDER BY nominal_time DESC OFFSET ${KEPT_RUNS} LIMIT 1
  ) AS k
)
DELETE FROM schedule_runs r USING oldest o
WHERE ${sameKey('r.schedule_id', 'o.schedule_id')} AND r.nominal_time < o.nominal_time AND r.settled`,
};

const decision = {
  schedule_id: 'uuid',
  runs_left: 'bigint',
  decided_until: 'timestamptz',
  next_time: 'timestamptz',
  scan_time: 'timestamptz',
  pause_reason: 'text',
};

// The caller has locked the schedules.
const writeDecisions = {
  name: 'write_schedules',
  text: `
UPDATE schedules s SET runs_left = least(i.runs_left, s.max_runs), decided_until = i.decided_until, next_time = i.next_time,
       scan_time = i.scan_time, paused = s.paused OR i.pause_reason IS NOT NULL,
       pause_reason = coalesce(i.pause_reason, s.pause_reason), revision = s.revision + (i.pause_reason IS NOT NULL)::int
FROM ${inputTable(decision, 'i')} WHERE ${sameKey('s.schedule_id', 'i.schedule_id')}`,
};

const results = { schedule_id: 'uuid', ...keys, job_id: 'uuid', message: 'text' };

// Only runs that were to be started: the schedule may have been deleted meanwhile, or another replica may have been
// first. The schedules are locked before their runs, as in a scan.
const settleMany = {
  name: 'settle_schedule_runs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
locked AS MATERIALIZED (
  SELECT schedule_id FROM schedules WHERE schedule_id = ANY($1::uuid[]) ORDER BY schedule_id FOR NO KEY UPDATE
),
settled AS (
  UPDATE schedule_runs r
  SET state = CASE WHEN i.job_id IS NULL THEN ${SKIPPED} ELSE ${STARTED} END, settled = i.job_id IS NULL, job_id = i.job_id,
      skip_reason = CASE WHEN i.job_id IS NULL THEN ${scheduleSkipReasons.REFUSED} END, message = i.message
  FROM ${inputTable(results, 'i', 2)} JOIN locked l ON l.schedule_id = i.schedule_id
  WHERE ${sameKey('r.schedule_id', 'i.schedule_id')} AND ${sameKey('r.nominal_time', 'i.nominal_time')}
    AND ${sameKey('r.cause_id', 'i.cause_id')} AND r.state = ${STARTING}
  RETURNING r.schedule_id, r.state
)
UPDATE schedules s SET scan_time = now.time, jobs = s.jobs + (
  SELECT count(*) FROM settled WHERE settled.schedule_id = s.schedule_id AND settled.state = ${STARTED}
)
FROM now, locked l WHERE ${sameKey('s.schedule_id', 'l.schedule_id')}`,
};

const failedStates: ReadonlySet<number | null> = new Set([stateCodes.FAILED, stateCodes.EXPIRED]);
const keyOf = (row: UnsettledRun): RunKey => ({ nominalUs: row.nominal_time, causeId: row.cause_id });
const keyLists = (rows: readonly RunKey[]) => [rows.map((row) => row.nominalUs), rows.map((row) => row.causeId)];

/** The result of a schedule's scan. */
interface Scan {
  readonly scanned: ScannedSchedule;
  readonly ended: readonly RunKey[];
  readonly decision: ScheduleDecision;
  readonly nextScanUs: number | undefined;
}

function scanOf(row: DueSchedule, unsettled: readonly UnsettledRun[], decide: DecideSchedule): Scan {
  const schedule = scheduleOf(row);
  const inState = (state: number) => unsettled.filter((run) => run.state === state);
  const ended = inState(STARTED).filter((run) => !run.is_open);
  const open = inState(STARTED).filter((run) => run.is_open);
  const starting = inState(STARTING);
  const status = {
    rules: schedule.rules,
    seed: schedule.scheduleId,
    paused: schedule.paused,
    runsLeft: row.runs_left ?? undefined,
    decidedUntilUs: row.decided_until,
    buffered: inState(BUFFERED).map(pendingRunOf),
    asked: inState(ASKED).map(pendingRunOf),
    open: open.length + starting.length,
    failedJobId: ended.find((run) => failedStates.has(run.end_state))?.job_id ?? undefined,
  };
  const decision = decide(schedule, status, row.now);
  const toStart = [...starting.map(pendingRunOf), ...decision.runs.filter((run) => run.state === 'STARTING')];
  const cancelled = open.filter((run) => decision.cancelsOthers || makesWay(run, starting));
  const cancelJobIds = cancelled.map((run) => run.job_id as string);
  return {
    scanned: { schedule, starting: toStart, cancelJobIds },
    ended: ended.map(keyOf),
    decision,
    nextScanUs: toStart.length > 0 ? row.now + START_AGAIN_MS * 1_000 : decision.nextScanUs,
  };
}

/** The open run is asked to stop again, with the run that replaces it: the replica may have died before it asked. */
function makesWay(open: UnsettledRun, starting: readonly UnsettledRun[]): boolean {
  return starting.some((run) => run.overlap === overlapPolicies.TERMINATE_OTHER && open.decide_time < run.decide_time);
}

/** Each item with the id of its schedule. */
function listed<T>(scans: readonly Scan[], itemsOf: (scan: Scan) => readonly T[]): { ids: string[]; items: T[] } {
  const ids = scans.flatMap((scan) => itemsOf(scan).map(() => scan.scanned.schedule.scheduleId));
  return { ids, items: scans.flatMap(itemsOf) };
}

async function writeRuns(session: Session, scans: readonly Scan[]): Promise<void> {
  const { ids, items } = listed(scans, (scan) => scan.decision.runs);
  if (items.length === 0) return;
  await session.run(writeMany, [
    ids,
    ...keyLists(items),
    items.map((run) => scheduleRunCauses[run.cause]),
    items.map((run) => overlapPolicies[run.overlap]),
    items.map((run) => scheduleRunStates[run.state]),
    items.map((run) => run.skipReason && scheduleSkipReasons[run.skipReason]),
    items.map((run) => run.lastNominalUs),
    items.map((run) => run.times ?? 1),
  ]);
  await session.run(forgetOld, [[...new Set(ids)]]);
}

/** In a few statements, however many schedules there are: thousands may be due in the same second. */
async function writeScans(session: Session, scans: readonly Scan[]): Promise<void> {
  const ended = listed(scans, (scan) => scan.ended);
  if (ended.items.length > 0) await session.run(settleEnded, [ended.ids, ...keyLists(ended.items)]);
  await writeRuns(session, scans);
  await session.run(writeDecisions, [
    scans.map(({ scanned }) => scanned.schedule.scheduleId),
    scans.map(({ decision: { runsLeft } }) => runsLeft),
    scans.map(({ decision: { decidedUntilUs } }) => decidedUntilUs),
    scans.map(({ decision: { nextUs } }) => nextUs),
    scans.map(({ nextScanUs }) => nextScanUs),
    scans.map(({ decision: { pauseReason } }) => pauseReason),
  ]);
}

async function scanRows(session: Session, rows: readonly DueSchedule[], decide: DecideSchedule): Promise<Scan[]> {
  const unsettled = await session.run(readUnsettled, [rows.map((row) => row.schedule_id)]);
  const runsOf = Map.groupBy(unsettled, (run) => run.schedule_id);
  const scans = rows.map((row) => scanOf(row, runsOf.get(row.schedule_id) ?? [], decide));
  await writeScans(session, scans);
  return scans;
}

/** One transaction for a few of the due schedules; skips those that another replica has locked. */
export function scanSchedules(database: Database, decide: DecideSchedule): Promise<ScannedSchedule[]> {
  return database.transaction(async (session) => {
    const rows = await session.run(lockDue, []);
    return rows.length === 0 ? [] : (await scanRows(session, rows, decide)).map(({ scanned }) => scanned);
  });
}

/** Scans a locked schedule, with the time as `now`. Another scan has to start the runs that this one decides. */
export async function scanOne(session: Session, row: DueSchedule, decide: DecideSchedule): Promise<ScheduleDecision> {
  const [scan] = await scanRows(session, [row], decide);
  return (scan as Scan).decision;
}

export async function settleRuns(session: Session, settlements: readonly Settlement[]): Promise<void> {
  const runs = settlements.flatMap(({ results }) => results);
  await session.run(settleMany, [
    [...new Set(settlements.map(({ scheduleId }) => scheduleId))],
    settlements.flatMap(({ scheduleId, results: some }) => some.map(() => scheduleId)),
    ...keyLists(runs),
    runs.map((result) => result.jobId),
    runs.map((result) => result.message),
  ]);
}
