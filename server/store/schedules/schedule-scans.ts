/** Scans of due schedules: locks them with their runs, and writes the decisions and their results. */

import { stateOf } from '../../domain/jobs/job-state.ts';
import type { Decided } from '../../domain/schedules/decide-schedule.ts';
import {
  overlapPolicies,
  type RunKey,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedules/schedule.ts';
import type {
  DueSchedule,
  OfSchedule,
  Settlement,
  UnsettledRun,
  WrittenDecision,
} from '../../engine/ports/schedules.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { nowNear, timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import { lockedSchedule, pendingRunOf, runStateOf, scheduleRowType, scheduleRunRowType } from './schedule-rows.ts';

const { STARTING, STARTED, SKIPPED } = scheduleRunStates;

/** Max schedules per scan. */
const MAX_SCHEDULES = 32;
/** Max unsettled runs of a schedule read per scan, those without a job first. */
const MAX_RUNS = 3_000;
/** Max runs kept per schedule. */
const KEPT_RUNS = 1_000;

const lockDue = {
  name: 'lock_due_schedules',
  text: `
WITH now AS MATERIALIZED (SELECT ${nowNear('$1')} AS time)
SELECT ${columnsOf(scheduleRowType, 's')}, now.time AS now FROM schedules s, now
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
SELECT ${columnsOf(scheduleRunRowType, 'u')}, r.job_id IS NOT NULL AS is_open, o.state AS end_state FROM unsettled u
LEFT JOIN LATERAL (SELECT job_id FROM job_runs WHERE job_runs.job_id = u.job_id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (SELECT state FROM job_outcomes WHERE job_outcomes.job_id = u.job_id OFFSET 0) AS o ON true
ORDER BY u.state, u.nominal_time`,
  row: { ...scheduleRunRowType, is_open: 'bool', end_state: 'int2?' },
} satisfies Statement;

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
SET state = excluded.state, settled = excluded.settled, skip_reason = excluded.skip_reason, decide_time = excluded.decide_time,
    input = CASE WHEN excluded.settled THEN NULL ELSE schedule_runs.input END`,
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

// At once: by a time that has passed, also while the clock is ahead. Only runs that were to be started: the schedule may have been deleted meanwhile, or another replica may have been
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
  SET state = CASE WHEN i.job_id IS NULL THEN ${SKIPPED} ELSE ${STARTED} END, settled = i.job_id IS NULL, job_id = i.job_id, input = NULL,
      skip_reason = CASE WHEN i.job_id IS NULL THEN ${scheduleSkipReasons.REFUSED} END, message = i.message
  FROM ${inputTable(results, 'i', 2)} JOIN locked l ON l.schedule_id = i.schedule_id
  WHERE ${sameKey('r.schedule_id', 'i.schedule_id')} AND ${sameKey('r.nominal_time', 'i.nominal_time')}
    AND ${sameKey('r.cause_id', 'i.cause_id')} AND r.state = ${STARTING}
  RETURNING r.schedule_id, r.state
)
UPDATE schedules s SET scan_time = least(now.time, s.decided_until), jobs = s.jobs + (
  SELECT count(*) FROM settled WHERE settled.schedule_id = s.schedule_id AND settled.state = ${STARTED}
)
FROM now, locked l WHERE ${sameKey('s.schedule_id', 'l.schedule_id')}`,
};

const keyLists = (runs: readonly RunKey[]) => [runs.map((run) => run.nominalUs), runs.map((run) => run.causeId)];

export async function lockDueSchedules(session: Session, ownUs: number): Promise<DueSchedule[]> {
  return (await session.run(lockDue, [timestampOf(ownUs)])).map((row) => ({
    ...lockedSchedule(row),
    nowUs: row.now,
  }));
}

export async function readUnsettledRuns(session: Session, scheduleIds: readonly string[]): Promise<UnsettledRun[]> {
  return (await session.run(readUnsettled, [scheduleIds])).map((row) => ({
    ...pendingRunOf(row),
    scheduleId: row.schedule_id,
    state: runStateOf(row),
    jobId: row.job_id ?? undefined,
    decideTimeUs: row.decide_time,
    isOpen: row.is_open,
    endState: row.end_state === null ? undefined : stateOf(row.end_state),
  }));
}

export async function settleEndedRuns(session: Session, runs: readonly OfSchedule<RunKey>[]): Promise<void> {
  if (runs.length > 0) await session.run(settleEnded, [runs.map((run) => run.scheduleId), ...keyLists(runs)]);
}

export async function writeRuns(session: Session, runs: readonly OfSchedule<Decided>[]): Promise<void> {
  await session.run(writeMany, [
    runs.map((run) => run.scheduleId),
    ...keyLists(runs),
    runs.map((run) => scheduleRunCauses[run.cause]),
    runs.map((run) => overlapPolicies[run.overlap]),
    runs.map((run) => scheduleRunStates[run.state]),
    runs.map((run) => run.skipReason && scheduleSkipReasons[run.skipReason]),
    runs.map((run) => run.lastNominalUs),
    runs.map((run) => run.times ?? 1),
  ]);
}

export async function dropOldRuns(session: Session, scheduleIds: readonly string[]): Promise<void> {
  await session.run(forgetOld, [scheduleIds]);
}

export async function writeScheduleDecisions(session: Session, decisions: readonly WrittenDecision[]): Promise<void> {
  await session.run(writeDecisions, [
    decisions.map(({ scheduleId }) => scheduleId),
    decisions.map(({ runsLeft }) => runsLeft),
    decisions.map(({ decidedUntilUs }) => decidedUntilUs),
    decisions.map(({ nextUs }) => nextUs),
    decisions.map(({ nextScanUs }) => nextScanUs),
    decisions.map(({ pauseReason }) => pauseReason),
  ]);
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
