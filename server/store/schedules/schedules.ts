/** Rows of schedules: read, list, insert, update and delete. */
import { type ScheduleKind, scheduleKinds } from '../../domain/schedules/schedule.ts';
import type {
  Schedule,
  ScheduledJob,
  ScheduleName,
  SchedulePage,
  ScheduleSpec,
  ScheduleStore,
} from '../../engine/ports/schedules.ts';
import { columnsOf } from '../base/columns.ts';
import { jsonOrNull } from '../base/json.ts';
import { nowNear, timestampOf } from '../base/times.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import { lockedSchedule, type ScheduleRow, scheduleOf, scheduleRowType } from './schedule-rows.ts';
import { countPending, insertAsked, listRuns, readRun, readRunInputs } from './schedule-runs.ts';
import {
  dropOldRuns,
  lockDueSchedules,
  readUnsettledRuns,
  settleEndedRuns,
  settleRuns,
  writeRuns,
  writeScheduleDecisions,
} from './schedule-scans.ts';

const readOne = {
  name: 'read_schedule',
  text: `SELECT ${columnsOf(scheduleRowType)} FROM schedules WHERE namespace = $1 AND name = $2 AND kind = $3`,
  row: scheduleRowType,
} satisfies Statement;

const lockOne = {
  name: 'lock_schedule',
  text: `SELECT ${columnsOf(scheduleRowType)} FROM schedules WHERE namespace = $1 AND name = $2 AND kind = $3 FOR UPDATE`,
  row: scheduleRowType,
} satisfies Statement;

/** Bytes of schedules after which a page ends: an answer has to fit into the 4 MiB that clients accept. */
const PAGE_BYTES = 2 << 20;

const listSome = {
  name: 'list_schedules',
  text: `
WITH page AS MATERIALIZED (SELECT * FROM schedules WHERE namespace = $1 AND name > $2 AND kind = $4 ORDER BY name LIMIT $3),
sized AS (
  SELECT page.*, sum(octet_length(rules) + coalesce(octet_length(condition), 0) + octet_length(job) + octet_length(input)) OVER (ORDER BY name) AS bytes,
         row_number() OVER (ORDER BY name) AS place
  FROM page
)
SELECT ${columnsOf(scheduleRowType)}, bytes, place, (SELECT count(*) FROM page)::int AS found FROM sized WHERE place = 1 OR bytes <= ${PAGE_BYTES} ORDER BY name`,
  row: { ...scheduleRowType, bytes: 'int8', place: 'int8', found: 'int4' },
} satisfies Statement;

const insertOne = {
  name: 'insert_schedule',
  text: `
INSERT INTO schedules (schedule_id, namespace, name, rules, job, input, input_content_type, input_metadata, description, max_runs,
                       runs_left, condition, kind, decided_until, scan_time, create_time, update_time)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint, $10::bigint, $11, $12, time, time, time, time FROM (SELECT ${nowNear('$13')} AS time) AS now
ON CONFLICT DO NOTHING
RETURNING ${columnsOf(scheduleRowType)}`,
  row: scheduleRowType,
} satisfies Statement;

const readNow = {
  name: 'read_now_for_schedule',
  text: `SELECT ${nowNear('$1')} AS now`,
  row: { now: 'timestamptz' },
} satisfies Statement;

// $10: the new times replace the old ones, which have been decided until then. Times at which a schedule was over are
// not among its times.
const updateOne = {
  name: 'update_schedule',
  text: `
UPDATE schedules SET rules = $2, job = $3, input = $4, input_content_type = $5, input_metadata = $6, description = $7,
       max_runs = $8::bigint, runs_left = CASE WHEN max_runs IS NOT DISTINCT FROM $8::bigint THEN runs_left ELSE $8::bigint END,
       condition = $9, decided_until = CASE WHEN $10::timestamptz IS NOT NULL THEN $10 WHEN runs_left = 0 THEN greatest(decided_until, now.time)
                            ELSE decided_until END,
       scan_time = least(now.time, decided_until), update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1
RETURNING ${columnsOf(scheduleRowType)}`,
  row: scheduleRowType,
} satisfies Statement;

const pauseOne = {
  name: 'pause_schedule',
  text: `
UPDATE schedules SET paused = true, pause_reason = CASE WHEN $2 = '' THEN pause_reason ELSE $2 END,
       update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1 AND (NOT paused OR ($2 <> '' AND pause_reason <> $2))
RETURNING ${columnsOf(scheduleRowType)}`,
  row: scheduleRowType,
} satisfies Statement;

const resumeOne = {
  name: 'resume_schedule',
  text: `
UPDATE schedules SET paused = false, pause_reason = '', scan_time = least(now.time, decided_until), update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1 AND paused
RETURNING ${columnsOf(scheduleRowType)}`,
  row: scheduleRowType,
} satisfies Statement;

const wakeOne = {
  name: 'wake_schedule',
  text: 'UPDATE schedules SET scan_time = least((SELECT muster_now()), decided_until) WHERE schedule_id = $1',
};

const deleteOne = {
  name: 'delete_schedule',
  text: 'DELETE FROM schedules WHERE namespace = $1 AND name = $2 AND kind = $3 RETURNING schedule_id',
  row: { schedule_id: 'uuid' },
} satisfies Statement;

const deleteRuns = {
  name: 'delete_schedule_runs',
  text: 'DELETE FROM schedule_runs WHERE schedule_id = $1',
};

const readNextScan = {
  name: 'read_next_scan',
  text: 'SELECT min(scan_time) AS scan_time FROM schedules WHERE scan_time IS NOT NULL',
  row: { scan_time: 'timestamptz?' },
} satisfies Statement;

/** The submission without the input, which has its own columns. */
function jobText({ input: _input, ...rest }: ScheduledJob): string {
  return JSON.stringify(rest);
}

const keyOf = ({ namespace, name, kind }: ScheduleName) => [namespace, name, scheduleKinds[kind]];

function contentOf({ rules, job, description, maxRuns, trigger }: ScheduleSpec) {
  const { data, contentType, metadata } = job.input;
  return [
    JSON.stringify(rules),
    jobText(job),
    data,
    contentType,
    jsonOrNull(metadata),
    description,
    maxRuns ?? null,
    jsonOrNull(trigger),
  ];
}

async function list(
  session: Session,
  namespace: string,
  kind: ScheduleKind,
  afterName: string,
  limit: number,
): Promise<SchedulePage> {
  const rows = await session.run(listSome, [namespace, afterName, limit + 1, scheduleKinds[kind]]);
  return {
    schedules: rows.slice(0, limit).map(scheduleOf),
    hasMore: Math.min(rows.length, limit) < (rows[0]?.found ?? 0),
  };
}

async function insert(
  session: Session,
  spec: ScheduleSpec,
  scheduleId: string,
  ownUs: number,
): Promise<Schedule | undefined> {
  const kind = scheduleKinds[spec.kind];
  const parameters = [scheduleId, spec.namespace, spec.name, ...contentOf(spec), kind, timestampOf(ownUs)];
  return (await session.run(insertOne, parameters)).map(scheduleOf)[0];
}

async function update(
  session: Session,
  scheduleId: string,
  spec: ScheduleSpec,
  decidedUntilUs: number | undefined,
): Promise<Schedule> {
  const [row] = await session.run(updateOne, [scheduleId, ...contentOf(spec), timestampOf(decidedUntilUs)]);
  return scheduleOf(row as ScheduleRow);
}

export function scheduleStore(database: Database): ScheduleStore {
  return {
    read: async (name) => (await database.run(readOne, keyOf(name))).map(scheduleOf)[0],
    list: (namespace, kind, afterName, limit) => list(database, namespace, kind, afterName, limit),
    insert: (spec, scheduleId, ownUs) => insert(database, spec, scheduleId, ownUs),
    lock: async (name) => (await database.run(lockOne, keyOf(name))).map(lockedSchedule)[0],
    readNowUs: async (ownUs) => (await database.run(readNow, [timestampOf(ownUs)]))[0]?.now as number,
    update: (scheduleId, spec, decidedUntilUs) => update(database, scheduleId, spec, decidedUntilUs),
    markPaused: async (scheduleId, reason) => (await database.run(pauseOne, [scheduleId, reason])).map(scheduleOf)[0],
    markResumed: async (scheduleId) => (await database.run(resumeOne, [scheduleId])).map(scheduleOf)[0],
    async wake(scheduleId) {
      await database.run(wakeOne, [scheduleId]);
    },
    drop: async (name) => (await database.run(deleteOne, keyOf(name)))[0]?.schedule_id,
    async dropRuns(scheduleId) {
      await database.run(deleteRuns, [scheduleId]);
    },
    listRuns: (scheduleId, before, limit) => listRuns(database, scheduleId, before, limit),
    readRun: (scheduleId, causeId) => readRun(database, scheduleId, causeId),
    countPending: (scheduleId) => countPending(database, scheduleId),
    insertAsked: (scheduleId, runs) => insertAsked(database, scheduleId, runs),
    lockDue: (ownUs) => lockDueSchedules(database, ownUs),
    readUnsettled: (scheduleIds) => readUnsettledRuns(database, scheduleIds),
    settleEnded: (runs) => settleEndedRuns(database, runs),
    writeRuns: (runs) => writeRuns(database, runs),
    dropOldRuns: (scheduleIds) => dropOldRuns(database, scheduleIds),
    writeDecisions: (decisions) => writeScheduleDecisions(database, decisions),
    readRunInputs: (scheduleId, runs) => readRunInputs(database, scheduleId, runs),
    settle: (settlements) => settleRuns(database, settlements),
    readNextScanUs: async () => (await database.run(readNextScan, []))[0]?.scan_time ?? undefined,
  };
}
