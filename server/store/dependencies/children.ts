/** Children of handlers: jobs that an attempt submits. */
import { ATTACHED, MAX_DEPTH } from '../../domain/dependencies/children.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { ParentAttempt, TraceFields } from '../../engine/ports/dependencies.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

// The statement that ends the attempt waits for this one and finds the children, or this one finds the attempt ended.
const adopt = {
  name: 'adopt_children',
  text: `
UPDATE job_runs r SET children = r.children + $4, notifies_end = true
WHERE r.job_id = $1 AND r.attempt = $2 AND r.session_id IS NOT DISTINCT FROM $3 AND r.state IN (${ASSIGNED}, ${RUNNING})
  AND EXISTS (SELECT FROM lanes n WHERE ${sameKey('n.lane_id', 'r.lane_id')} AND n.namespace IS NOT DISTINCT FROM $5)
RETURNING r.children`,
  row: { children: 'int4' },
} satisfies Statement;

const readDepth = {
  name: 'read_depth_of_job',
  text: `
WITH RECURSIVE above AS (
  SELECT parent_job_id, 1 AS level FROM job_runs WHERE job_id = $1
  UNION ALL
  SELECT r.parent_job_id, a.level + 1
  FROM above a CROSS JOIN LATERAL (SELECT parent_job_id FROM job_runs WHERE job_runs.job_id = a.parent_job_id OFFSET 0) AS r
  WHERE a.level <= ${MAX_DEPTH}
)
SELECT max(level) AS depth FROM above`,
  row: { depth: 'int4?' },
} satisfies Statement;

const readTrace = {
  name: 'read_trace_of_parent',
  text: 'SELECT traceparent, tracestate FROM jobs WHERE job_id = $1',
  row: { traceparent: 'text?', tracestate: 'text?' },
} satisfies Statement;

export async function adoptChildren(
  session: Session,
  namespace: string,
  { jobId, attempt, sessionId }: ParentAttempt,
  children: number,
): Promise<number | undefined> {
  const [row] = await session.run(adopt, [jobId, attempt, sessionId, children, namespace]);
  return row?.children;
}

export async function readJobDepth(session: Session, jobId: string): Promise<number> {
  return (await session.run(readDepth, [jobId]))[0]?.depth ?? 0;
}

export async function readParentTrace(session: Session, jobId: string): Promise<TraceFields> {
  const [row] = await session.run(readTrace, [jobId]);
  return { traceparent: row?.traceparent ?? '', tracestate: row?.tracestate ?? '' };
}

// Children that have ended meanwhile are missing from the result.
const lockSome = {
  name: 'lock_children',
  text: `
WITH locked AS MATERIALIZED (
  SELECT r.job_id, r.parent_job_id, r.notifies_end FROM job_runs r
  WHERE r.job_id = ANY($1::uuid[]) ORDER BY r.job_id FOR NO KEY UPDATE
),
notifying AS (
  UPDATE job_runs r SET notifies_end = true FROM locked l
  WHERE ${sameKey('r.job_id', 'l.job_id')} AND l.parent_job_id IS NOT DISTINCT FROM $2 AND NOT l.notifies_end
)
SELECT job_id FROM locked WHERE parent_job_id IS NOT DISTINCT FROM $2`,
  row: { job_id: 'uuid' },
} satisfies Statement;

export async function linkChildren(session: Session, jobId: string, childIds: readonly string[]): Promise<string[]> {
  const rows = await session.run(lockSome, [[...new Set([jobId, ...childIds])], jobId]);
  return rows.map((row) => row.job_id);
}

const readSome = {
  name: 'read_attached_children',
  text: `
SELECT job_id FROM job_runs WHERE parent_job_id = $1 AND step = ${ATTACHED} AND state <> ${CANCELLING}
ORDER BY parent_job_id, step, job_id LIMIT $2`,
  row: { job_id: 'uuid' },
} satisfies Statement;

export async function readAttached(session: Session, jobId: string, limit: number): Promise<string[]> {
  return (await session.run(readSome, [jobId, limit])).map((row) => row.job_id);
}
