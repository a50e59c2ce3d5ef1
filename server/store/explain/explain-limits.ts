/** Limits in an explanation: the capacity of each, and the jobs that count against it. Also suspects. */
import type { KeyUse } from '../../domain/dispatch/limit-use.ts';
import { type Blocker, type Blockers, MAX_BLOCKERS } from '../../domain/explain/constraint.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { LimitOfJob, LimitQuery } from '../../engine/ports/explanations.ts';
import { sameKey } from '../base/same-key.ts';
import { keyUse, keyUseOf, keyUseRowType } from '../dispatch/limit-use.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { queueKey } from '../queues/queues.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

/** Max held attempts scanned to find those of a limit. */
const MAX_SCANNED = 10_000;

const readKey = {
  name: 'read_key_use',
  text: `SELECT ${keyUse('$1::uuid', '$2')}`,
  row: keyUseRowType,
} satisfies Statement;

const named = (from: string) => `
SELECT h.job_id, h.session_id, h.assign_time, s.worker_name FROM (
  ${from} ORDER BY assign_time, job_id LIMIT ${MAX_BLOCKERS}
) AS h LEFT JOIN sessions s ON ${sameKey('s.session_id', 'h.session_id')}
ORDER BY h.assign_time, h.job_id`;

const readOfKey = {
  name: 'read_key_holders',
  text: named(`SELECT * FROM (
    SELECT job_id, session_id, assign_time FROM job_runs
    WHERE limit_id = $1 AND limit_id IS NOT NULL AND state IN (${ASSIGNED}, ${RUNNING}, ${CANCELLING}) LIMIT ${MAX_SCANNED}
  ) AS of_key`),
  row: { job_id: 'uuid', session_id: 'uuid?', assign_time: 'timestamptz?', worker_name: 'text?' },
} satisfies Statement;

// No index leads from a lane to its held jobs: it would cost each job more than this is worth. Clean-ups are neither
// gated nor counted.
const readOfLanes = {
  name: 'read_limit_holders',
  text: `
WITH held AS MATERIALIZED (
  SELECT r.* FROM (
    SELECT session_id FROM sessions WHERE namespace BETWEEN $1 AND $1 AND state <> 3 ORDER BY namespace, session_id
  ) AS s
  CROSS JOIN LATERAL (
    SELECT job_id, lane_id, session_id, assign_time FROM job_runs WHERE job_runs.session_id = s.session_id LIMIT ${MAX_SCANNED}
  ) AS r
  LIMIT ${MAX_SCANNED}
),
limited AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE $2::text IS NOT NULL AND ${queueKey('lanes.')} = $1 || '/' || $2 AND cleanup IS NOT TRUE
  UNION ALL
  SELECT lane_id FROM lanes WHERE $3::text IS NOT NULL AND namespace = $1 AND definition = $3 AND cleanup IS NOT TRUE
)
${named('SELECT job_id, session_id, assign_time FROM held WHERE lane_id IN (SELECT lane_id FROM limited)')}`,
  row: { job_id: 'uuid', session_id: 'uuid?', assign_time: 'timestamptz?', worker_name: 'text?' },
} satisfies Statement;

// `consecutiveLosses` decides which job is a suspect, as in `isSuspect`.
const readSome = {
  name: 'read_suspects_of_sessions',
  text: `
SELECT r.job_id, r.session_id, r.assign_time, s.worker_name, count(*) OVER ()::int AS total
FROM unnest($1::uuid[]) AS i (session_id)
CROSS JOIN LATERAL (
  SELECT job_id, session_id, assign_time FROM job_runs
  WHERE job_runs.session_id = i.session_id AND consecutive_losses >= 2 AND job_id <> $2 LIMIT 1
) AS r
JOIN sessions s ON ${sameKey('s.session_id', 'r.session_id')}
ORDER BY r.assign_time LIMIT ${MAX_BLOCKERS}`,
  row: { job_id: 'uuid', session_id: 'uuid?', assign_time: 'timestamptz?', worker_name: 'text', total: 'int4' },
} satisfies Statement;

const blockerOf = (row: RowOf<typeof readOfKey>): Blocker => ({
  jobId: row.job_id,
  sessionId: row.session_id ?? undefined,
  workerName: row.worker_name ?? undefined,
  sinceUs: row.assign_time ?? undefined,
});

export async function readKeyUse(session: Session, limitId: string, maxHeld: number): Promise<KeyUse> {
  const [row] = (await session.run(readKey, [limitId, maxHeld])) as [RowOf<typeof readKey>];
  return keyUseOf(row);
}

/** Jobs that count against one limit, among the first 10,000 held attempts. */
export async function readLimitBlockers(
  session: Session,
  { namespace, queue, definition, limitId }: LimitQuery,
  reason: LimitOfJob['reason'],
): Promise<Blocker[]> {
  const rows = await {
    KEY_LIMIT: () => session.run(readOfKey, [limitId ?? null]),
    DEFINITION_LIMIT: () => session.run(readOfLanes, [namespace, null, definition]),
    QUEUE_LIMIT: () => session.run(readOfLanes, [namespace, queue, null]),
  }[reason]();
  return rows.map(blockerOf);
}

/** The suspect that each session holds, except this job. */
export async function readSuspects(
  session: Session,
  sessionIds: readonly string[],
  butJobId: string,
): Promise<Blockers> {
  const rows = await session.run(readSome, [sessionIds, butJobId]);
  return { list: rows.map(blockerOf), count: rows[0]?.total ?? 0 };
}
