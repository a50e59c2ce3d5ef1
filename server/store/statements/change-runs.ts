/** Locks open jobs in the order of their ids, loads what a decision needs, and writes what was decided. */
import { cancelStages } from '../../domain/cancel-stage.ts';
import { expiryOf } from '../../domain/decide.ts';
import { stateCodes, stateOf } from '../../domain/job-state.ts';
import { attemptOutcomes, type Change, type Continue, type End, type OpenRun } from '../../domain/run.ts';
import type { Decide, Selection } from '../../engine/store-port.ts';
import type { Database, Parameter, Row, Session, Statement } from '../database.ts';
import { failureText } from '../failure-text.ts';
import { inputTable } from '../input-table.ts';
import { sameKey } from '../same-key.ts';
import type { FairRanks } from './fair-ranks.ts';
import { insertCleanups } from './insert-cleanups.ts';
import { addCounts, countedAs } from './lane-counts.ts';
import { groups, tell, toldFailure, untold } from './outbox.ts';
import { keepBudgets } from './retry-budgets.ts';
import { updateRecords } from './update-records.ts';

const held = `(${stateCodes.ASSIGNED}, ${stateCodes.RUNNING}, ${stateCodes.CANCELLING})`;

function lockStatement(name: string, picked: string): Statement {
  return {
    name,
    text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
picked AS MATERIALIZED (${picked})
SELECT p.*, j.priority, j.create_time, j.retry_policy, j.fairness_key, now.time AS now
FROM picked p
CROSS JOIN LATERAL (SELECT priority, create_time, retry_policy, fairness_key FROM jobs WHERE jobs.job_id = p.job_id OFFSET 0) AS j, now`,
  };
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

// By id, but as a row, which no index is sorted by: for a LIMIT the planner would read the primary key from its start.
const lockSession = lockStatement(
  'lock_session_runs',
  `SELECT r.* FROM job_runs r WHERE r.session_id = $1 AND r.state IN ${held} ORDER BY (r.job_id, 0) LIMIT $2 FOR UPDATE OF r`,
);

// Never waits: what somebody else has locked is due again at the next sweep.
const lockDue = lockStatement(
  'lock_due_runs',
  `SELECT r.* FROM job_runs r WHERE r.due_time <= (SELECT time FROM now) ORDER BY r.due_time LIMIT $1 FOR UPDATE OF r SKIP LOCKED`,
);

function lockFor(selection: Selection): [Statement, Parameter[]] {
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
      return [lockDue, [selection.limit]];
  }
}

function openRun(row: Row): OpenRun {
  return {
    jobId: row.job_id,
    laneId: row.lane_id,
    state: stateOf(row.state),
    rank: row.rank,
    priority: row.priority,
    attempt: row.attempt,
    attemptsCounted: row.attempts_counted,
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
    runTimeUs: row.run_time,
    createTimeUs: row.create_time,
    losses: row.losses,
    charges: row.charges,
    lost: row.lost,
    failures: row.failures ?? 0,
    releases: row.releases,
    releasesSinceUs: row.releases_since,
    reason: row.reason,
    runTimeoutMs: row.run_timeout_ms,
    retryPolicy: row.retry_policy === null ? null : JSON.parse(row.retry_policy),
    fairnessKey: row.fairness_key,
    limitId: row.limit_id,
  };
}

const updates = {
  job_id: 'uuid',
  state: 'smallint',
  lane_id: 'int',
  rank: 'bigint',
  due_time: 'timestamptz',
  attempts_counted: 'int',
  losses: 'smallint',
  charges: 'smallint',
  lost: 'smallint',
  failures: 'bigint',
  releases: 'smallint',
  releases_since: 'timestamptz',
  reason: 'text',
  run_time: 'timestamptz',
  watch_until: 'timestamptz',
  watch_fraction: 'double precision',
  // Before the change, for the counts.
  was_state: 'smallint',
  was_lane_id: 'int',
  told_failure: 'text',
};

/** What is told of each change. */
const told = ['state', 'revision', 'attempt', 'was_state', 'told_failure'];

const updateRuns = {
  name: 'update_runs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
i AS MATERIALIZED (SELECT * FROM ${inputTable(updates, 'i')}),
${addCounts(`
    SELECT lane_id, state, sum(jobs) AS jobs FROM (
      SELECT lane_id, ${countedAs('state')} AS state, 1 AS jobs FROM i
      UNION ALL SELECT was_lane_id, ${countedAs('was_state')}, -1 FROM i
    ) AS moves GROUP BY lane_id, state`)},
changed AS (
UPDATE job_runs r
SET state = i.state, lane_id = i.lane_id, rank = i.rank, due_time = i.due_time, attempts_counted = i.attempts_counted,
    losses = i.losses, charges = i.charges, lost = i.lost, failures = nullif(i.failures, 0), releases = i.releases,
    releases_since = i.releases_since, reason = i.reason, run_time = i.run_time,
    pause_time = CASE WHEN i.state <> ${stateCodes.PAUSED} THEN NULL WHEN i.was_state = i.state THEN r.pause_time ELSE (SELECT time FROM now) END,
    cancel_time = coalesce(r.cancel_time, CASE WHEN i.state = ${stateCodes.CANCELLING} THEN (SELECT time FROM now) END), revision = r.revision + 1,
    session_id = CASE WHEN i.state IN ${held} THEN r.session_id END,
    credit_id = CASE WHEN i.state IN ${held} THEN r.credit_id END,
    run_deadline = CASE WHEN i.state IN ${held} THEN r.run_deadline END,
    run_extension_ms = CASE WHEN i.state IN ${held} THEN r.run_extension_ms END,
    quiet_deadline = CASE WHEN i.state IN ${held} THEN r.quiet_deadline END,
    watch_until = CASE WHEN i.state IN ${held} THEN coalesce(i.watch_until, r.watch_until) END,
    watch_fraction = CASE WHEN i.state IN ${held} THEN coalesce(i.watch_fraction, r.watch_fraction) END
FROM i WHERE ${sameKey('r.job_id', 'i.job_id')}
RETURNING r.job_id, r.lane_id, r.revision, r.attempt, i.was_state, i.state, i.told_failure
),
${groups({ from: 'changed', by: told, where: `state <> was_state AND state NOT IN ${untold}` })}
${tell({ moved: true, failures: true })}`,
};

async function writeContinues(session: Session, changes: readonly Continue[]): Promise<void> {
  await session.run(updateRuns, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => stateCodes[c.state]),
    changes.map((c) => c.laneId),
    changes.map((c) => c.rank),
    changes.map((c) => c.dueTimeUs),
    changes.map((c) => c.attemptsCounted),
    changes.map((c) => Math.min(c.losses, 32_767)),
    changes.map((c) => c.charges),
    changes.map((c) => Math.min(c.lost, 32_767)),
    changes.map((c) => c.failures),
    changes.map((c) => Math.min(c.releases, 32_767)),
    changes.map((c) => c.releasesSinceUs),
    changes.map((c) => c.reason),
    changes.map((c) => c.runTimeUs),
    changes.map((c) => c.watch?.untilUs ?? null),
    changes.map((c) => c.watch?.fraction),
    changes.map((c) => stateCodes[c.run.state]),
    changes.map((c) => c.run.laneId),
    changes.map(({ closed }) => (closed?.failure ? toldFailure(closed.failure) : null)),
  ]);
}

const ends = {
  job_id: 'uuid',
  state: 'smallint',
  attempts_counted: 'int',
  failure: 'text',
  reason: 'text',
  cancel_stage: 'smallint',
  cleanup_job_id: 'uuid',
  told_failure: 'text',
};

const endRuns = {
  name: 'end_runs',
  endsJobs: true,
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
ended AS (
  DELETE FROM job_runs r USING ${inputTable(ends, 'i')} WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id, r.lane_id, r.state AS was_state, i.state, r.revision + 1 AS revision, r.attempt, i.attempts_counted, r.session_id, r.assign_time, i.failure,
            r.progress_fraction, r.progress_message, i.reason, i.cancel_stage, r.cancel_time, i.cleanup_job_id, i.told_failure
),
checkpoints AS (DELETE FROM job_checkpoints c USING ended e WHERE ${sameKey('c.job_id', 'e.job_id')}),
${groups({ from: 'ended', by: told })},
${addCounts(`SELECT lane_id, ${countedAs('was_state')} AS state, -jobs AS jobs FROM groups`)},
told AS (${tell({ moved: true, failures: true })})
INSERT INTO job_outcomes (job_id, state, revision, attempt, attempts_counted, session_id, assign_time, end_time, failure,
                          progress_fraction, progress_message, reason, cancel_stage, cancel_time, cancel_reason, cleanup_job_id)
SELECT job_id, state, revision, attempt, attempts_counted, session_id, assign_time, now.time, failure,
       progress_fraction, progress_message, reason, cancel_stage,
       CASE WHEN cancel_stage IS NOT NULL THEN coalesce(cancel_time, now.time) END,
       CASE WHEN cancel_stage IS NOT NULL THEN reason END, cleanup_job_id
FROM ended, now`,
};

async function writeEnds(session: Session, changes: readonly End[]): Promise<void> {
  await session.run(endRuns, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => stateCodes[c.state]),
    changes.map((c) => c.attemptsCounted),
    changes.map((c) => (c.failure ? failureText(c.failure) : null)),
    changes.map((c) => c.reason),
    changes.map((c) => c.cancelStage && cancelStages[c.cancelStage]),
    changes.map((c) => c.cleanup?.jobId),
    changes.map((c) => (c.failure ? toldFailure(c.failure) : null)),
  ]);
}

const attempts = {
  job_id: 'uuid',
  attempt: 'int',
  session_id: 'uuid',
  outcome: 'smallint',
  counted: 'boolean',
  assign_time: 'timestamptz',
  failure: 'text',
};

const insertAttempts = {
  name: 'insert_attempts',
  text: `
INSERT INTO job_attempts (job_id, attempt, session_id, outcome, counted, assign_time, end_time, failure)
SELECT job_id, attempt, session_id, outcome, counted, assign_time, (SELECT muster_now()), failure
FROM ${inputTable(attempts, 'i')}`,
};

async function writeAttempts(session: Session, changes: readonly Continue[]): Promise<void> {
  const closed = (c: Continue) => c.closed as NonNullable<Continue['closed']>;
  await session.run(insertAttempts, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => c.run.attempt),
    changes.map((c) => c.run.sessionId),
    changes.map((c) => attemptOutcomes[closed(c).outcome]),
    changes.map((c) => closed(c).counted),
    changes.map((c) => c.run.assignTimeUs),
    changes.map((c) => {
      const { failure } = closed(c);
      return failure ? failureText(failure) : null;
    }),
  ]);
}

/** A job that is ready after it has waited for a time takes its turn among the others of its fairness key. */
async function rankFairly(session: Session, fairRanks: FairRanks, changes: readonly Change[]): Promise<Change[]> {
  const fair = changes.flatMap((change) => {
    const { run } = change;
    const isTurn = change.kind === 'continue' && change.state === 'READY' && run.state === 'SCHEDULED';
    if (!isTurn || run.fairnessKey === null) return [];
    const { jobId, fairnessKey } = run;
    const priority = change.record?.priority ?? run.priority;
    return [{ jobId, laneId: change.laneId, fairnessKey, priority, expireTimeUs: expiryOf(run) }];
  });
  const ranks = await fairRanks.rank(session, fair);
  return changes.map((change) => {
    const rank = ranks.get(change.run.jobId);
    return change.kind === 'continue' && rank !== undefined ? { ...change, rank } : change;
  });
}

/** One transaction: lock and load, decide, write. Returns what was changed. */
export function changeRuns(
  database: Database,
  fairRanks: FairRanks,
  selection: Selection,
  decide: Decide,
): Promise<Change[]> {
  const [statement, parameters] = lockFor(selection);
  return database.transaction(async (session) => {
    const rows = await session.run(statement, parameters);
    const decided = rows.flatMap((row) => decide(openRun(row), row.now) ?? []);
    const kept = await keepBudgets(session, decided, rows[0]?.now ?? 0);
    const changes = await rankFairly(session, fairRanks, kept);
    const goingOn = changes.filter((change) => change.kind === 'continue');
    const ended = changes.filter((change) => change.kind === 'end');
    const closing = goingOn.filter((change) => change.closed);
    if (closing.length > 0) await writeAttempts(session, closing);
    if (goingOn.length > 0) await writeContinues(session, goingOn);
    await updateRecords(
      session,
      goingOn.filter((change) => change.record),
    );
    if (ended.length > 0) await writeEnds(session, ended);
    const cleanups = ended.filter((change) => change.cleanup);
    if (cleanups.length > 0) await insertCleanups(session, cleanups);
    return changes;
  });
}
