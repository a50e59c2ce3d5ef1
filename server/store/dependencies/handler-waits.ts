/** Handlers that wait for jobs by calls of their clients, and what is read to find deadlocks. */
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type { AwaitedJob, DeadlockStore, HandlerWait, WaitingHandler } from '../../engine/ports/deadlocks.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session } from '../driver/database.ts';
import { readDependencies } from './dependencies.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

const columns = { wait_id: 'uuid', namespace: 'text', job_id: 'uuid', target_id: 'uuid' };

// A call may outlive the attempt that made it: then its number is no longer the job's, and nothing rests on it.
const saveMany = {
  name: 'save_handler_waits',
  text: `
INSERT INTO handler_waits AS w (wait_id, namespace, job_id, attempt, target_id, lease_until)
SELECT i.wait_id, i.namespace, i.job_id, r.attempt, i.target_id, (SELECT muster_now()) + $5 * interval '1 millisecond'
FROM ${inputTable(columns, 'i')}
CROSS JOIN LATERAL (
  SELECT attempt, lane_id FROM job_runs WHERE job_runs.job_id = i.job_id AND job_runs.state IN (${ASSIGNED}, ${RUNNING}) OFFSET 0
) AS r
WHERE EXISTS (SELECT FROM lanes n WHERE ${sameKey('n.lane_id', 'r.lane_id')} AND n.namespace IS NOT DISTINCT FROM i.namespace)
ORDER BY i.wait_id
ON CONFLICT (wait_id) DO UPDATE SET lease_until = excluded.lease_until`,
};

const dropMany = {
  name: 'drop_handler_waits',
  text: `
WITH gone AS MATERIALIZED (
  SELECT w.wait_id FROM unnest($1::uuid[]) AS i (wait_id) JOIN handler_waits w ON ${sameKey('w.wait_id', 'i.wait_id')}
  ORDER BY i.wait_id FOR UPDATE OF w
)
DELETE FROM handler_waits w USING gone WHERE ${sameKey('w.wait_id', 'gone.wait_id')}`,
};

const readMany = {
  name: 'read_handler_waits',
  text: `
WITH found AS MATERIALIZED (
  SELECT job_id, attempt, target_id, lease_until FROM handler_waits WHERE namespace = $1 ORDER BY namespace, job_id LIMIT $2
)
SELECT f.job_id, f.target_id, r.state, r.lane_id, r.limit_id, r.session_id, s.worker_name,
       (f.attempt = r.attempt AND f.lease_until > (SELECT muster_now()) AND r.state IN (${ASSIGNED}, ${RUNNING})) IS TRUE AS holds
FROM found f
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'f.job_id')}
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'r.session_id')}
ORDER BY f.job_id`,
};

const readJobs = {
  name: 'read_awaited_jobs',
  text: `
SELECT r.job_id, r.lane_id, r.state, r.attempt, r.limit_id FROM unnest($1::uuid[]) AS i (job_id)
JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}`,
};

const readChildren = {
  name: 'read_children_of_awaited',
  text: `
SELECT c.* FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (
  SELECT r.parent_job_id, r.job_id FROM job_runs r WHERE r.parent_job_id = i.job_id AND r.state <> ${CANCELLING}
  ORDER BY r.parent_job_id, r.step, r.job_id LIMIT $2
) AS c LIMIT $2`,
};

async function save(session: Session, waits: readonly HandlerWait[], leaseMs: number): Promise<void> {
  await session.run(saveMany, [
    waits.map((wait) => wait.waitId),
    waits.map((wait) => wait.namespace),
    waits.map((wait) => wait.jobId),
    waits.map((wait) => wait.targetJobId),
    leaseMs,
  ]);
}

async function readWaiting(session: Session, namespace: string, limit: number) {
  const rows = await session.run(readMany, [namespace, limit + 1]);
  const isCut = rows.length > limit;
  // Of the last job some rows may be missing: it might be let go by one of those.
  const whole = isCut ? rows.filter((row) => row.job_id !== rows.at(-1)?.job_id) : rows;
  const byJob = Map.groupBy(
    whole.filter((row) => row.holds),
    (row) => row.job_id as string,
  );
  const handlers = [...byJob].map(
    ([jobId, [first, ...others]]): WaitingHandler => ({
      jobId,
      targetJobIds: [...new Set([first, ...others].map((row) => row?.target_id))],
      state: stateOf(first?.state),
      laneId: first?.lane_id,
      limitId: first?.limit_id ?? undefined,
      sessionId: first?.session_id,
      workerName: first?.worker_name ?? '',
    }),
  );
  return { handlers, isCut };
}

async function readAwaited(session: Session, jobIds: readonly string[]): Promise<AwaitedJob[]> {
  const [rows, dependencies] = await Promise.all([session.run(readJobs, [jobIds]), readDependencies(session, jobIds)]);
  const byJob = Map.groupBy(dependencies, ({ jobId }) => jobId);
  return rows.map((row) => ({
    jobId: row.job_id,
    state: stateOf(row.state),
    laneId: row.lane_id,
    attempt: row.attempt,
    limitId: row.limit_id ?? undefined,
    dependencies: byJob.get(row.job_id) ?? [],
  }));
}

export function deadlockStore(session: Session): DeadlockStore {
  return {
    saveHandlerWaits: (waits, leaseMs) => save(session, waits, leaseMs),
    async dropHandlerWaits(waitIds) {
      await session.run(dropMany, [waitIds]);
    },
    readWaitingHandlers: (namespace, limit) => readWaiting(session, namespace, limit),
    readAwaitedJobs: (jobIds) => readAwaited(session, jobIds),
    async readOpenChildren(jobIds, limit) {
      const rows = await session.run(readChildren, [jobIds, limit]);
      return rows.map((row) => ({ parentJobId: row.parent_job_id, jobId: row.job_id }));
    },
  };
}
