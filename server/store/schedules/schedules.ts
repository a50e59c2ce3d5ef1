/** Rows of schedules: read, list, insert, update and delete. */
import type { PendingRun, ScheduleRules } from '../../domain/schedules/schedule.ts';
import type {
  DecideSchedule,
  ScheduleChange,
  ScheduledJob,
  ScheduleName,
  ScheduleSpec,
  ScheduleStore,
} from '../../engine/ports/schedules.ts';
import { timestampOf } from '../base/times.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { jsonOrNull } from '../jobs/submit/insert-jobs.ts';
import { type ScheduleRow, scheduleOf, scheduleRowType } from './schedule-rows.ts';
import { countPending, insertAsked, listRuns, readRun } from './schedule-runs.ts';
import { scanOne, scanSchedules, settleRuns } from './schedule-scans.ts';

const readOne = {
  name: 'read_schedule',
  text: 'SELECT * FROM schedules WHERE namespace = $1 AND name = $2',
  row: scheduleRowType,
} satisfies Statement;

const lockOne = {
  name: 'lock_schedule',
  text: 'SELECT * FROM schedules WHERE namespace = $1 AND name = $2 FOR UPDATE',
  row: scheduleRowType,
} satisfies Statement;

/** Bytes of schedules after which a page ends: an answer has to fit into the 4 MiB that clients accept. */
const PAGE_BYTES = 2 << 20;

const listSome = {
  name: 'list_schedules',
  text: `
WITH page AS MATERIALIZED (SELECT * FROM schedules WHERE namespace = $1 AND name > $2 ORDER BY name LIMIT $3),
sized AS (
  SELECT page.*, sum(octet_length(rules) + octet_length(job) + octet_length(input)) OVER (ORDER BY name) AS bytes,
         row_number() OVER (ORDER BY name) AS place
  FROM page
)
SELECT *, (SELECT count(*) FROM page)::int AS found FROM sized WHERE place = 1 OR bytes <= ${PAGE_BYTES} ORDER BY name`,
  row: { ...scheduleRowType, bytes: 'int8', place: 'int8', found: 'int4' },
} satisfies Statement;

const insertOne = {
  name: 'insert_schedule',
  text: `
INSERT INTO schedules (schedule_id, namespace, name, rules, job, input, input_content_type, input_metadata, description, max_runs,
                       runs_left, decided_until, scan_time, create_time, update_time)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint, $10::bigint, time, time, time, time FROM (SELECT muster_now() AS time) AS now
ON CONFLICT DO NOTHING
RETURNING *`,
  row: scheduleRowType,
} satisfies Statement;

const readNow = {
  name: 'read_now_for_schedule',
  text: 'SELECT muster_now() AS now',
  row: { now: 'timestamptz' },
} satisfies Statement;

// $9: the new times replace the old ones, which have been decided until then. Times at which a schedule was over are
// not among its times.
const updateOne = {
  name: 'update_schedule',
  text: `
UPDATE schedules SET rules = $2, job = $3, input = $4, input_content_type = $5, input_metadata = $6, description = $7,
       max_runs = $8::bigint, runs_left = CASE WHEN max_runs IS NOT DISTINCT FROM $8::bigint THEN runs_left ELSE $8::bigint END,
       decided_until = CASE WHEN $9::timestamptz IS NOT NULL THEN $9 WHEN runs_left = 0 THEN greatest(decided_until, now.time)
                            ELSE decided_until END,
       scan_time = now.time, update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1
RETURNING *`,
  row: { ...scheduleRowType, time: 'timestamptz' },
} satisfies Statement;

const pauseOne = {
  name: 'pause_schedule',
  text: `
UPDATE schedules SET paused = true, pause_reason = CASE WHEN $2 = '' THEN pause_reason ELSE $2 END,
       update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1 AND (NOT paused OR ($2 <> '' AND pause_reason <> $2))
RETURNING *`,
  row: { ...scheduleRowType, time: 'timestamptz' },
} satisfies Statement;

const resumeOne = {
  name: 'resume_schedule',
  text: `
UPDATE schedules SET paused = false, pause_reason = '', scan_time = now.time, update_time = now.time, revision = revision + 1
FROM (SELECT muster_now() AS time) AS now
WHERE schedule_id = $1 AND paused
RETURNING *`,
  row: { ...scheduleRowType, time: 'timestamptz' },
} satisfies Statement;

const wakeOne = {
  name: 'wake_schedule',
  text: 'UPDATE schedules SET scan_time = (SELECT muster_now()) WHERE schedule_id = $1',
};

const deleteOne = {
  name: 'delete_schedule',
  text: 'DELETE FROM schedules WHERE namespace = $1 AND name = $2 RETURNING schedule_id',
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

/** Max pending runs per schedule. */
const MAX_PENDING = 1_000;

/** The submission without the input, which has its own columns. */
function jobText({ input: _input, ...rest }: ScheduledJob): string {
  return JSON.stringify(rest);
}

function contentOf({ rules, job, description, maxRuns }: ScheduleSpec) {
  const { data, contentType, metadata } = job.input;
  return [
    JSON.stringify(rules),
    jobText(job),
    data,
    contentType,
    jsonOrNull(metadata),
    description,
    maxRuns ?? null,
  ] as const;
}

function isSame(
  row: ScheduleRow,
  [rules, job, data, contentType, metadata, description, maxRuns]: ReturnType<typeof contentOf>,
) {
  const texts = row.rules === rules && row.job === job && row.description === description;
  const input = row.input_content_type === contentType && row.input_metadata === metadata;
  return texts && input && row.max_runs === maxRuns && Buffer.compare(row.input, data) === 0;
}

const done = (row: ScheduleRow, created = false): ScheduleChange => ({
  kind: 'done',
  schedule: scheduleOf(row),
  created,
});

async function makeOne(session: Session, spec: ScheduleSpec, scheduleId: string): Promise<ScheduleRow | undefined> {
  const [rules, job, data, contentType, metadata, description, maxRuns] = contentOf(spec);
  const content = [rules, job, data, contentType, metadata, description, maxRuns];
  return (await session.run(insertOne, [scheduleId, spec.namespace, spec.name, ...content]))[0];
}

const timesOf = ({ times, jitterMs }: ScheduleRules) => JSON.stringify([times, jitterMs]);

/** Decides the due times of a locked schedule. Returns the time until which they are decided. */
async function scanFirst(session: Session, row: ScheduleRow, decide: DecideSchedule): Promise<number | 'behind'> {
  // Read after the lock: the wait for it may have been long.
  const [now] = (await session.run(readNow, [])) as [RowOf<typeof readNow>];
  const { isBehind } = await scanOne(session, { ...row, ...now }, decide);
  return isBehind ? 'behind' : now.now;
}

type Apply = ScheduleStore['apply'];

function apply(database: Database, ...[spec, etag, scheduleId, decide]: Parameters<Apply>): ReturnType<Apply> {
  return database.transaction(async (session) => {
    const made = etag === '' ? await makeOne(session, spec, scheduleId) : undefined;
    if (made) return done(made, true);
    const [row] = await session.run(lockOne, [spec.namespace, spec.name]);
    if (!row) return { kind: 'missing' };
    const before = scheduleOf(row);
    if (etag !== '' && etag !== before.etag) return { kind: 'stale', etag: before.etag };
    const content = contentOf(spec);
    if (isSame(row, content)) return done(row);
    const isOther = timesOf(before.rules) !== timesOf(spec.rules);
    const untilUs = isOther ? await scanFirst(session, row, decide) : undefined;
    if (untilUs === 'behind') return { kind: untilUs };
    const [changed] = await session.run(updateOne, [row.schedule_id, ...content, timestampOf(untilUs)]);
    return done(changed as ScheduleRow);
  });
}

/** Changes an existing schedule. If `work` returns undefined, the row is as it was. */
function change(
  database: Database,
  { namespace, name }: ScheduleName,
  work: (session: Session, row: ScheduleRow) => Promise<ScheduleRow | ScheduleChange | undefined>,
): Promise<ScheduleChange> {
  return database.transaction(async (session) => {
    const [row] = await session.run(lockOne, [namespace, name]);
    if (!row) return { kind: 'missing' };
    const result = await work(session, row);
    return result && 'kind' in result ? (result as ScheduleChange) : done(result ?? row);
  });
}

function ask(database: Database, name: ScheduleName, runs: readonly PendingRun[]): Promise<ScheduleChange> {
  return change(database, name, async (session, row) => {
    const pending = await countPending(session, row.schedule_id);
    if (pending + runs.length > MAX_PENDING) return { kind: 'full', pending };
    await insertAsked(session, row.schedule_id, runs);
    await session.run(wakeOne, [row.schedule_id]);
    return undefined;
  });
}

function remove(database: Database, { namespace, name }: ScheduleName): Promise<boolean> {
  return database.transaction(async (session) => {
    const [row] = await session.run(deleteOne, [namespace, name]);
    if (row) await session.run(deleteRuns, [row.schedule_id]);
    return row !== undefined;
  });
}

export function scheduleStore(database: Database): ScheduleStore {
  return {
    read: async ({ namespace, name }) => (await database.run(readOne, [namespace, name])).map(scheduleOf)[0],
    async list(namespace, afterName, limit) {
      const rows = await database.run(listSome, [namespace, afterName, limit + 1]);
      return {
        schedules: rows.slice(0, limit).map(scheduleOf),
        hasMore: Math.min(rows.length, limit) < (rows[0]?.found ?? 0),
      };
    },
    apply: (...change) => apply(database, ...change),
    pause: (name, reason) =>
      change(database, name, async (session, row) => (await session.run(pauseOne, [row.schedule_id, reason]))[0]),
    resume: (name, decide) =>
      change(database, name, async (session, row) => {
        if (row.paused && (await scanFirst(session, row, decide)) === 'behind') return { kind: 'behind' };
        return (await session.run(resumeOne, [row.schedule_id]))[0];
      }),
    delete: (name) => remove(database, name),
    ask: (name, runs) => ask(database, name, runs),
    listRuns: (scheduleId, before, limit) => listRuns(database, scheduleId, before, limit),
    readRun: (scheduleId, causeId) => readRun(database, scheduleId, causeId),
    scan: (decide) => scanSchedules(database, decide),
    settle: (settlements) => settleRuns(database, settlements),
    readNextScanUs: async () => (await database.run(readNextScan, []))[0]?.scan_time ?? undefined,
  };
}
