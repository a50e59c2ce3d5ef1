/** Workers as the API shows them: list, get, drain. */
import { stateOf } from '../../domain/jobs/job-state.ts';
import type { HeldJob, WorkerView } from '../../engine/ports/sessions.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { progressOf } from './progress-row.ts';
import { sessionColumns, sessionRow, sessionRowType } from './sessions.ts';

const workerColumns = `${sessionColumns}, (SELECT count(*)::int FROM job_runs r WHERE r.session_id = s.session_id) AS held`;

const listOpen = {
  name: 'list_sessions',
  text: `
SELECT ${workerColumns}
FROM sessions s WHERE namespace = $1 AND state <> 3 AND session_id > $2 ORDER BY session_id LIMIT $3`,
  row: { ...sessionRowType, held: 'int4' },
} satisfies Statement;

const readOne = {
  name: 'read_worker',
  text: `SELECT ${workerColumns} FROM sessions s WHERE session_id = ANY(ARRAY[$2::uuid]) AND namespace = $1`,
  row: { ...sessionRowType, held: 'int4' },
} satisfies Statement;

// Sorted in memory: a session holds max 10,000 attempts.
const readHeldJobs = {
  name: 'read_held_jobs',
  text: `
SELECT r.job_id, l.definition, r.attempt, r.state, r.assign_time, r.suspend_until, r.progress_fraction, r.progress_message, r.progress_counts
FROM job_runs r JOIN lanes l ON ${sameKey('l.lane_id', 'r.lane_id')}
WHERE r.session_id = $1 ORDER BY r.assign_time, r.job_id LIMIT $2`,
  row: {
    job_id: 'uuid',
    definition: 'text',
    attempt: 'int4',
    state: 'int2',
    assign_time: 'timestamptz',
    suspend_until: 'timestamptz?',
    progress_fraction: 'float8?',
    progress_message: 'text?',
    progress_counts: 'jsonb?',
  },
} satisfies Statement;

// FOR UPDATE, as in a close and for the same reason: it waits for every statement that is assigning to the session, and
// later ones skip the row or read it again. A mere UPDATE would let them pass with the row as they first saw it.
const drainOne = {
  name: 'drain_session',
  text: `
WITH locked AS MATERIALIZED (
  SELECT session_id FROM sessions
  WHERE session_id = ANY(ARRAY[$2::uuid]) AND namespace = $1 AND state IS NOT DISTINCT FROM 1
  FOR UPDATE
)
UPDATE sessions s SET drain_wanted = true FROM locked l WHERE ${sameKey('s.session_id', 'l.session_id')}`,
};

const workerView = (row: RowOf<typeof readOne>): WorkerView => ({ ...sessionRow(row), held: row.held });

export async function listSessions(
  session: Session,
  namespace: string,
  afterSessionId: string,
  limit: number,
): Promise<WorkerView[]> {
  return (await session.run(listOpen, [namespace, afterSessionId, limit])).map(workerView);
}

export async function readWorker(
  session: Session,
  namespace: string,
  sessionId: string,
): Promise<WorkerView | undefined> {
  return (await session.run(readOne, [namespace, sessionId])).map(workerView)[0];
}

/** Longest held first. */
export async function heldJobs(session: Session, sessionId: string, limit: number): Promise<HeldJob[]> {
  const rows = await session.run(readHeldJobs, [sessionId, limit]);
  return rows.map((row) => ({
    jobId: row.job_id,
    definition: row.definition,
    attempt: row.attempt,
    state: stateOf(row.state) as HeldJob['state'],
    assignTimeUs: row.assign_time,
    suspendTimeUs: row.suspend_until ?? undefined,
    progress: progressOf(row),
  }));
}

/** Nothing is assigned to the session once this has resolved. A session that is not open is left unchanged. */
export async function drainSession(session: Session, namespace: string, sessionId: string): Promise<void> {
  await session.run(drainOne, [namespace, sessionId]);
}
