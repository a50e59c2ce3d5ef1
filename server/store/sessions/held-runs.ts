/** Runs that sessions hold, compared with the heartbeats of the sessions. */

import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type { AttemptKey, HeldPage, HeldRun, ProgressChange } from '../../engine/ports/attempts.ts';
import type { ClaimedJob } from '../../engine/ports/dispatch.ts';
import type { QueueName } from '../../engine/ports/queues.ts';
import { inputTable } from '../base/input-table.ts';
import { jsonOrNull } from '../base/json.ts';
import { sameKey } from '../base/same-key.ts';
import { timestampOf } from '../base/times.ts';
import { claimedJob, claimedRowType, recordOfRun } from '../dispatch/claim-jobs.ts';
import { byteSlices } from '../driver/arrays.ts';
import type { Session, Statement } from '../driver/database.ts';

/** Delay after the worker's own run timeout: a time-out that the worker reports has more details. */
const RUN_TIMEOUT_SLACK_MS = 2_000;
/** Max duration of an attempt, whatever its handler asks for. */
const MAX_RUN_MS = 30 * 86_400_000;

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;
const keyColumns = { job_id: 'uuid', attempt: 'int', session_id: 'uuid' };

function keyParameters(keys: readonly AttemptKey[]) {
  return [keys.map((k) => k.jobId), keys.map((k) => k.attempt), keys.map((k) => k.sessionId)];
}

const heldColumns = 'job_id, attempt, session_id, lane_id, state, credit_id, assign_time, suspend_until';
const readMany = {
  name: 'read_held_runs',
  text: `
SELECT ${heldColumns} FROM job_runs WHERE session_id = $1 AND state = ANY($2::smallint[])
UNION ALL
SELECT ${heldColumns} FROM job_runs WHERE session_id = $1 AND suspend_until IS NOT NULL AND state <> ALL($2::smallint[])
LIMIT 10000`,
  row: {
    job_id: 'uuid',
    attempt: 'int4',
    session_id: 'uuid',
    lane_id: 'int4',
    state: 'int2',
    credit_id: 'int8',
    assign_time: 'timestamptz',
    suspend_until: 'timestamptz?',
  },
} satisfies Statement;

const readAssignedRuns = {
  name: 'read_assigned_runs',
  text: `
SELECT k.job_id, k.lane_id, k.rank, k.attempt, k.attempt_count, k.run_timeout_ms, k.session_id, k.credit_id,
       ${recordOfRun.columns}
FROM ${inputTable(keyColumns, 'i')} JOIN job_runs k ON ${sameKey('k.job_id', 'i.job_id')} ${recordOfRun.joins}
WHERE k.attempt = i.attempt AND k.session_id IS NOT DISTINCT FROM i.session_id AND k.state IN (${ASSIGNED}, ${CANCELLING})`,
  row: { ...claimedRowType, session_id: 'uuid', credit_id: 'int8' },
} satisfies Statement;

// Counted from here, not from the assignment, which may have arrived late: so the worker's own time-out comes first. From
// the later one of the two clocks: a deadline that falls too early ends an attempt that does nothing wrong.
const observeMany = {
  name: 'observe_attempts',
  text: `
WITH now AS MATERIALIZED (SELECT greatest(muster_now(), $4::timestamptz) AS time),
locked AS MATERIALIZED (
  SELECT r.job_id, now.time + (r.run_timeout_ms + coalesce(r.run_extension_ms, 0) + ${RUN_TIMEOUT_SLACK_MS}) * interval '1 ms' AS run_deadline,
         now.time + r.progress_timeout_ms * interval '1 ms' AS quiet_deadline,
         now.time + r.watch_window_ms * interval '1 ms' AS watch_until
  FROM now, ${inputTable(keyColumns, 'i')} JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
  WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.state = ${ASSIGNED}
  ORDER BY i.job_id FOR NO KEY UPDATE OF r
)
UPDATE job_runs r
SET state = ${RUNNING}, revision = r.revision + 1, run_deadline = l.run_deadline, quiet_deadline = l.quiet_deadline,
    watch_until = l.watch_until, watch_fraction = CASE WHEN l.watch_until IS NOT NULL THEN coalesce(r.progress_fraction, 0) END,
    due_time = least(l.run_deadline, r.deadline, l.quiet_deadline, l.watch_until, r.suspend_until)
FROM locked l WHERE ${sameKey('r.job_id', 'l.job_id')}`,
};

const progressColumns = {
  ...keyColumns,
  sequence: 'bigint',
  fraction: 'double precision',
  message: 'text',
  counts: 'jsonb',
  extension_ms: 'bigint',
  checkpoint_start: 'int',
  checkpoint_length: 'int',
  checkpoint_content_type: 'text',
  checkpoint_metadata: 'text',
};

// A handler's report moves its progress deadline and, if it asks for more time, the deadline of its run. The sequence
// keeps a late heartbeat from setting progress back. The fence keeps a lost session from setting any. Counts that fall, or
// of another unit, begin anew.
const saveMany = {
  name: 'save_progress',
  text: `
WITH now AS MATERIALIZED (SELECT greatest(muster_now(), $2::timestamptz) AS time),
i AS MATERIALIZED (SELECT * FROM ${inputTable(progressColumns, 'i', 3)}),
locked AS MATERIALIZED (
  SELECT i.*, CASE WHEN r.state = ${RUNNING} THEN now.time + r.progress_timeout_ms * interval '1 ms' END AS quiet_deadline,
         greatest(coalesce(r.run_extension_ms, 0),
                  CASE WHEN i.extension_ms IS NOT NULL THEN least(i.extension_ms, ${MAX_RUN_MS} - r.run_timeout_ms) END) AS asked_ms,
         jsonb_build_object('timeUs', (extract(epoch FROM now.time) * 1000000)::bigint) AS at
  FROM now, i JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
  WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.state IN (${ASSIGNED}, ${RUNNING}, ${CANCELLING})
    AND i.sequence > r.progress_sequence
    AND EXISTS (SELECT FROM sessions s WHERE ${sameKey('s.session_id', 'i.session_id')} AND s.state IS NOT DISTINCT FROM 1)
  ORDER BY i.job_id FOR NO KEY UPDATE OF r
),
checkpoints AS (
  INSERT INTO job_checkpoints AS c (job_id, sequence, attempt, data, content_type, metadata)
  SELECT job_id, sequence, attempt, substring($1::bytea FROM checkpoint_start FOR checkpoint_length), checkpoint_content_type,
         checkpoint_metadata
  FROM locked WHERE checkpoint_length IS NOT NULL
  ON CONFLICT (job_id) DO UPDATE
  SET sequence = excluded.sequence, attempt = excluded.attempt, data = excluded.data, content_type = excluded.content_type,
      metadata = excluded.metadata
)
UPDATE job_runs r
SET progress_sequence = i.sequence, progress_fraction = coalesce(i.fraction, r.progress_fraction),
    progress_message = coalesce(i.message, r.progress_message), revision = r.revision + 1,
    progress_counts = CASE WHEN i.fraction IS NULL THEN r.progress_counts
                           ELSE i.counts || i.at || jsonb_build_object('first', CASE
                             WHEN r.progress_counts->'done' <= i.counts->'done' AND r.progress_counts->'unit' = i.counts->'unit'
                             THEN r.progress_counts->'first' ELSE i.at || jsonb_build_object('done', i.counts->'done') END) END,
    run_extension_ms = nullif(i.asked_ms, 0),
    run_deadline = r.run_deadline + (i.asked_ms - coalesce(r.run_extension_ms, 0)) * interval '1 ms',
    quiet_deadline = i.quiet_deadline,
    due_time = CASE WHEN r.state = ${RUNNING} AND r.run_deadline IS NOT NULL
                    THEN least(r.run_deadline + (i.asked_ms - coalesce(r.run_extension_ms, 0)) * interval '1 ms',
                               r.deadline, i.quiet_deadline, r.watch_until, r.suspend_until)
                    ELSE r.due_time END
FROM locked i WHERE ${sameKey('r.job_id', 'i.job_id')}`,
};

export async function readHeld(session: Session, sessionId: string, whole: boolean): Promise<HeldRun[]> {
  const states = whole ? [ASSIGNED, RUNNING, CANCELLING] : [ASSIGNED, CANCELLING];
  const rows = await session.run(readMany, [sessionId, states]);
  return rows.map((row) => ({
    jobId: row.job_id,
    attempt: row.attempt,
    sessionId: row.session_id,
    laneId: row.lane_id,
    state: stateOf(row.state) as HeldRun['state'],
    creditId: row.credit_id,
    assignTimeUs: row.assign_time,
    suspendUntilUs: row.suspend_until ?? undefined,
  }));
}

// Ordered by a row, which no index is sorted by: for a LIMIT the planner would read the primary key from its start.
const readOfQueue = {
  name: 'read_held_of_queue',
  text: `
SELECT r.job_id FROM job_runs r
CROSS JOIN LATERAL (SELECT namespace, queue, cleanup FROM lanes WHERE lanes.lane_id = r.lane_id OFFSET 0) AS n
WHERE r.session_id IS NOT NULL AND r.state IN (${ASSIGNED}, ${RUNNING}) AND ($3::uuid IS NULL OR r.job_id > $3)
  AND (r.suspend_until IS NOT NULL OR NOT $5)
  AND n.namespace = $1 AND n.queue = $2 AND NOT n.cleanup
ORDER BY (r.job_id, 0) LIMIT $4`,
  row: { job_id: 'uuid' },
} satisfies Statement;

export async function readHeldOfQueue(
  session: Session,
  { namespace, name }: QueueName,
  { afterJobId, limit, suspended }: HeldPage,
): Promise<string[]> {
  const rows = await session.run(readOfQueue, [namespace, name, afterJobId ?? null, limit, suspended]);
  return rows.map((row) => row.job_id);
}

export async function readAssigned(session: Session, attempts: readonly AttemptKey[]): Promise<ClaimedJob[]> {
  const rows = await session.run(readAssignedRuns, keyParameters(attempts));
  return rows.map((row) => claimedJob(row, { sessionId: row.session_id, creditId: row.credit_id, prefetch: false }));
}

export async function observeAttempts(session: Session, attempts: readonly AttemptKey[], ownUs: number): Promise<void> {
  await session.run(observeMany, [...keyParameters(attempts), timestampOf(ownUs)]);
}

/** Max one change per attempt: the caller keeps the newest. */
export async function saveProgress(session: Session, changes: readonly ProgressChange[], ownUs: number): Promise<void> {
  const slices = byteSlices(changes.map((change) => change.checkpoint?.data));
  await session.run(saveMany, [
    slices.bytes,
    timestampOf(ownUs),
    ...keyParameters(changes),
    changes.map((change) => change.sequence),
    changes.map((change) => change.fraction),
    changes.map((change) => change.message),
    changes.map((change) => jsonOrNull(change.counts)),
    changes.map((change) => change.extensionMs),
    slices.starts,
    slices.lengths,
    changes.map((change) => change.checkpoint?.contentType),
    changes.map((change) => jsonOrNull(change.checkpoint?.metadata)),
  ]);
}
