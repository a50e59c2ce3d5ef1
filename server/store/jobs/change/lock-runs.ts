/** Locks open jobs in the order of their ids, or skips locked ones, and loads the data of a decision. */
import { stateCodes, stateOf } from '../../../domain/jobs/job-state.ts';
import type { OpenRun, Suspension } from '../../../domain/jobs/run.ts';
import { suspensionTargets } from '../../../domain/jobs/suspension.ts';
import type { LockedRuns, Selection } from '../../../engine/ports/jobs.ts';
import { columnsOf } from '../../base/columns.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import { timestampOf } from '../../base/times.ts';
import { gates } from '../../dispatch/gated-lanes.ts';
import type { Parameter, Session, Statement } from '../../driver/database.ts';
import type { RowOf, RowType } from '../../driver/row-types.ts';

export const held = `(${stateCodes.ASSIGNED}, ${stateCodes.RUNNING}, ${stateCodes.CANCELLING})`;

const runRowType = {
  job_id: 'uuid',
  lane_id: 'int4',
  state: 'int2',
  rank: 'int8',
  revision: 'int4',
  attempt: 'int4',
  attempt_count: 'int4',
  input_size: 'int4',
  session_id: 'uuid?',
  credit_id: 'int8?',
  assign_time: 'timestamptz?',
  due_time: 'timestamptz?',
  expire_time: 'timestamptz?',
  run_timeout_ms: 'int8',
  consecutive_losses: 'int2',
  suspect_losses: 'int2',
  total_losses: 'int2',
  releases: 'int2',
  releases_since: 'timestamptz?',
  progress_sequence: 'int8',
  progress_fraction: 'float8?',
  progress_message: 'text?',
  reason: 'text?',
  run_time: 'timestamptz?',
  check_result: 'bool',
  failures: 'int8?',
  deadline: 'timestamptz?',
  run_deadline: 'timestamptz?',
  run_extension_ms: 'int8?',
  progress_timeout_ms: 'int8?',
  quiet_deadline: 'timestamptz?',
  watch_window_ms: 'int8?',
  watch_until: 'timestamptz?',
  watch_fraction: 'float8?',
  cancel_time: 'timestamptz?',
  limit_id: 'uuid?',
  limit_mark: 'int2?',
  pause_time: 'timestamptz?',
  parent_job_id: 'uuid?',
  step: 'int2?',
  item: 'int4?',
  notifies_end: 'bool',
  unmet_dependencies: 'int2',
  children: 'int4',
  suspensions: 'int4?',
  suspend_until: 'timestamptz?',
  suspend_to: 'int2?',
  timeouts_stopped: 'bool',
  paused_from: 'int2?',
  paused_with_parent: 'bool?',
  exhausted: 'bool?',
  retries_since: 'timestamptz?',
} satisfies RowType;

function lockStatement(name: string, picked: string) {
  return {
    name,
    text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
picked AS MATERIALIZED (${picked})
SELECT ${columnsOf(runRowType, 'p')}, j.priority, j.create_time, j.retry_policy, j.fairness_key, now.time AS now
FROM picked p
CROSS JOIN LATERAL (SELECT priority, create_time, retry_policy, fairness_key FROM jobs WHERE jobs.job_id = p.job_id OFFSET 0) AS j, now`,
    row: {
      ...runRowType,
      priority: 'int2',
      create_time: 'timestamptz',
      retry_policy: 'text?',
      fairness_key: 'text?',
      now: 'timestamptz',
    },
  } satisfies Statement;
}

const fence = { job_id: 'uuid', attempt: 'int', session_id: 'uuid' };

// The fence of a report: job, attempt and session match an open state, and the session is open.
const lockAttempts = lockStatement(
  'lock_attempts',
  `SELECT r.* FROM ${inputTable(fence, 'i')} JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
   WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.state IN ${held}
     AND EXISTS (SELECT FROM sessions s WHERE ${sameKey('s.session_id', 'i.session_id')} AND s.state IS NOT DISTINCT FROM 1)
   ORDER BY i.job_id FOR UPDATE OF r`,
);

const lockJobs = lockStatement(
  'lock_jobs',
  `SELECT r.* FROM job_runs r
   WHERE r.job_id = ANY($1::uuid[]) AND EXISTS (SELECT FROM lanes WHERE ${sameKey('lanes.lane_id', 'r.lane_id')} AND lanes.namespace IS NOT DISTINCT FROM $2)
   ORDER BY r.job_id FOR UPDATE OF r`,
);

// Ordered by a row, which no index is sorted by: for a LIMIT the planner would read the primary key from its start.
const lockSession = lockStatement(
  'lock_session_runs',
  `SELECT r.* FROM job_runs r WHERE r.session_id = $1 AND r.state IN ${held} ORDER BY (r.job_id, 0) LIMIT $2 FOR UPDATE OF r`,
);

// Never waits: a run that another transaction has locked is due again at the next sweep.
const lockDue = lockStatement(
  'lock_due_runs',
  `SELECT r.* FROM job_runs r WHERE r.due_time <= (SELECT least(time, $2::timestamptz) FROM now) ORDER BY r.due_time LIMIT $1 FOR UPDATE OF r SKIP LOCKED`,
);

// As a claim does: a change that gates a lane waits for this, or is seen. Nothing here waits.
const lockReady = lockStatement(
  'lock_ready_workflows',
  `SELECT c.* FROM (
     SELECT lane_id FROM lanes WHERE lane_id = ANY($1::int[]) AND gates & ~${gates.limited}::smallint = 0 ORDER BY lane_id FOR KEY SHARE SKIP LOCKED
   ) AS l
   CROSS JOIN LATERAL (
     SELECT r.* FROM job_runs r WHERE r.lane_id = l.lane_id AND r.state = ${stateCodes.READY}
     ORDER BY r.rank, r.job_id LIMIT $2 FOR UPDATE SKIP LOCKED
   ) AS c
   ORDER BY c.rank, c.job_id LIMIT $2`,
);

type Lock = ReturnType<typeof lockStatement>;

export async function lockRuns(session: Session, selection: Selection): Promise<LockedRuns> {
  const rows = await session.run(...lockFor(selection));
  return { runs: rows.map(openRun), nowUs: rows[0]?.now ?? 0 };
}

/** The statement that locks and loads the selection. `openRun` reads its rows. */
function lockFor(selection: Selection): [Lock, Parameter[]] {
  switch (selection.by) {
    case 'attempts': {
      const keys = selection.attempts;
      return [lockAttempts, [keys.map((k) => k.jobId), keys.map((k) => k.attempt), keys.map((k) => k.sessionId)]];
    }
    case 'jobs':
      return [lockJobs, [selection.jobIds, selection.namespace]];
    case 'session':
      return [lockSession, [selection.sessionId, selection.limit]];
    case 'due':
      return [lockDue, [selection.limit, timestampOf(selection.latestUs)]];
    case 'workflows':
      return [lockReady, [selection.laneIds, selection.limit]];
  }
}

function suspensionOf({ suspend_until: untilUs, suspend_to: to }: RowOf<Lock>): Suspension | null {
  if (untilUs === null) return null;
  return { untilUs, to: to === suspensionTargets.PAUSED ? 'PAUSED' : 'READY' };
}

function openRun(row: RowOf<Lock>): OpenRun {
  return {
    jobId: row.job_id,
    laneId: row.lane_id,
    state: stateOf(row.state),
    rank: row.rank,
    priority: row.priority,
    attempt: row.attempt,
    attemptCount: row.attempt_count,
    sessionId: row.session_id,
    assignTimeUs: row.assign_time,
    dueTimeUs: row.due_time,
    expireTimeUs: row.expire_time,
    limits: {
      deadlineUs: row.deadline,
      runDeadlineUs: row.run_deadline,
      quietDeadlineUs: row.quiet_deadline,
      watchUntilUs: row.watch_until,
      watchFraction: row.watch_fraction ?? 0,
      progressFraction: row.progress_fraction,
    },
    timeoutsStopped: row.timeouts_stopped,
    suspension: suspensionOf(row),
    begun: row.paused_from !== null,
    pausedWithParent: row.paused_with_parent === true,
    exhausted: row.exhausted === true,
    retriesSinceUs: row.retries_since,
    runTimeUs: row.run_time,
    createTimeUs: row.create_time,
    consecutiveLosses: row.consecutive_losses,
    suspectLosses: row.suspect_losses,
    totalLosses: row.total_losses,
    failures: row.failures ?? 0,
    releases: row.releases,
    releasesSinceUs: row.releases_since,
    suspensions: row.suspensions ?? 0,
    reason: row.reason,
    runTimeoutMs: row.run_timeout_ms,
    retryPolicy: row.retry_policy === null ? null : JSON.parse(row.retry_policy),
    fairnessKey: row.fairness_key,
    limitId: row.limit_id,
    parentJobId: row.parent_job_id,
    unmetDependencies: row.unmet_dependencies,
    children: row.children,
    notifiesDependents: row.notifies_end,
  };
}
