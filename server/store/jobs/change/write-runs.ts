/** Writes the changes of open jobs: jobs that continue, jobs that have ended, and attempts that were closed. */

import { cancelStages } from '../../../domain/jobs/cancel-stage.ts';
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import { attemptOutcomes, type Continue, type End, skipReasons } from '../../../domain/jobs/run.ts';
import { suspensionTargets } from '../../../domain/jobs/suspension.ts';
import { failureText } from '../../base/failure-text.ts';
import { inputTable } from '../../base/input-table.ts';
import { jsonOrNull } from '../../base/json.ts';
import { sameKey } from '../../base/same-key.ts';
import { addCounts, countedAs } from '../../dispatch/lane-counts.ts';
import type { Session, Statement } from '../../driver/database.ts';
import { groups, outboxInsert, publishedFailure, unpublished } from '../../events/outbox.ts';
import { watched } from '../../triggers/ended-causes.ts';
import { notifyEnds } from '../inbox/inbox-inserts.ts';
import { held } from './lock-runs.ts';

const { CANCELLING, PAUSED, WAITING } = stateCodes;

const updates = {
  job_id: 'uuid',
  state: 'smallint',
  lane_id: 'int',
  rank: 'bigint',
  due_time: 'timestamptz',
  attempt_count: 'int',
  consecutive_losses: 'smallint',
  suspect_losses: 'smallint',
  total_losses: 'smallint',
  failures: 'bigint',
  releases: 'smallint',
  releases_since: 'timestamptz',
  suspensions: 'int',
  deadline: 'timestamptz',
  timeouts_stopped: 'boolean',
  suspend_until: 'timestamptz',
  suspend_to: 'smallint',
  paused_from: 'smallint',
  paused_with_parent: 'boolean',
  exhausted: 'boolean',
  retries_since: 'timestamptz',
  reason: 'text',
  run_time: 'timestamptz',
  watch_until: 'timestamptz',
  watch_fraction: 'double precision',
  // Before the change, for the counts.
  was_state: 'smallint',
  was_lane_id: 'int',
  published_failure: 'text',
};

/** Published columns of each change. */
const outboxColumns = ['state', 'revision', 'attempt', 'was_state', 'published_failure'];

// No session holds a cancelled workflow: its lane counts it as WAITING until it ends, since limits count held jobs.
const updateRuns = {
  name: 'update_runs',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
i AS MATERIALIZED (SELECT * FROM ${inputTable(updates, 'i')}),
${addCounts(`
    SELECT lane_id, state, sum(jobs) AS jobs FROM (
      SELECT lane_id, CASE WHEN was_state IN (${WAITING}, ${PAUSED}) AND state = ${CANCELLING} THEN ${WAITING} ELSE ${countedAs('state')} END AS state, 1 AS jobs FROM i
      UNION ALL SELECT was_lane_id, ${countedAs('was_state')}, -1 FROM i
    ) AS moves GROUP BY lane_id, state`)},
changed AS (
UPDATE job_runs r
SET state = i.state, lane_id = i.lane_id, rank = i.rank, due_time = i.due_time, attempt_count = i.attempt_count,
    consecutive_losses = i.consecutive_losses, suspect_losses = i.suspect_losses, total_losses = i.total_losses, failures = nullif(i.failures, 0), releases = i.releases,
    releases_since = i.releases_since, suspensions = nullif(i.suspensions, 0), deadline = i.deadline, timeouts_stopped = i.timeouts_stopped,
    suspend_until = i.suspend_until, suspend_to = i.suspend_to, paused_from = i.paused_from, paused_with_parent = i.paused_with_parent,
    exhausted = i.exhausted, retries_since = i.retries_since, reason = i.reason, run_time = i.run_time,
    pause_time = CASE WHEN i.state <> ${PAUSED} THEN NULL WHEN i.was_state = i.state THEN r.pause_time ELSE (SELECT time FROM now) END,
    cancel_time = coalesce(r.cancel_time, CASE WHEN i.state = ${stateCodes.CANCELLING} THEN (SELECT time FROM now) END), revision = r.revision + 1,
    session_id = CASE WHEN i.state IN ${held} THEN r.session_id END,
    credit_id = CASE WHEN i.state IN ${held} THEN r.credit_id END,
    run_deadline = CASE WHEN i.state IN ${held} THEN r.run_deadline END,
    run_extension_ms = CASE WHEN i.state IN ${held} THEN r.run_extension_ms END,
    quiet_deadline = CASE WHEN i.state IN ${held} THEN r.quiet_deadline END,
    watch_until = CASE WHEN i.state IN ${held} THEN coalesce(i.watch_until, r.watch_until) END,
    watch_fraction = CASE WHEN i.state IN ${held} THEN coalesce(i.watch_fraction, r.watch_fraction) END
FROM i WHERE ${sameKey('r.job_id', 'i.job_id')}
RETURNING r.job_id, r.lane_id, r.revision, r.attempt, i.was_state, i.state, i.published_failure
),
${groups({ from: 'changed', by: outboxColumns, where: `state <> was_state AND state NOT IN ${unpublished}` })}
${outboxInsert({ moved: true, failures: true })}`,
};

export async function writeContinues(session: Session, changes: readonly Continue[]): Promise<void> {
  await session.run(updateRuns, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => stateCodes[c.state]),
    changes.map((c) => c.laneId),
    changes.map((c) => c.rank),
    changes.map((c) => c.dueTimeUs),
    changes.map((c) => c.attemptCount),
    changes.map((c) => Math.min(c.consecutiveLosses, 32_767)),
    changes.map((c) => c.suspectLosses),
    changes.map((c) => Math.min(c.totalLosses, 32_767)),
    changes.map((c) => c.failures),
    changes.map((c) => Math.min(c.releases, 32_767)),
    changes.map((c) => c.releasesSinceUs),
    changes.map((c) => c.suspensions),
    changes.map((c) => c.deadlineUs),
    changes.map((c) => c.timeoutsStopped),
    changes.map((c) => c.suspension?.untilUs),
    changes.map((c) => c.suspension && suspensionTargets[c.suspension.to]),
    changes.map((c) => (c.begun ? WAITING : null)),
    changes.map((c) => c.pausedWithParent || null),
    changes.map((c) => c.exhausted || null),
    changes.map((c) => c.retriesSinceUs),
    changes.map((c) => c.reason),
    changes.map((c) => c.runTimeUs),
    changes.map((c) => c.watch?.untilUs ?? null),
    changes.map((c) => c.watch?.fraction),
    changes.map((c) => stateCodes[c.run.state]),
    changes.map((c) => c.run.laneId),
    changes.map(({ closed }) => (closed?.failure ? publishedFailure(closed.failure) : null)),
  ]);
}

const ends = {
  job_id: 'uuid',
  state: 'smallint',
  attempt_count: 'int',
  failure: 'text',
  reason: 'text',
  cancel_stage: 'smallint',
  cleanup_job_id: 'uuid',
  published_failure: 'text',
  result: 'bytea',
  result_content_type: 'text',
  result_metadata: 'text',
  skip_reason: 'smallint',
};

const endRuns = {
  name: 'end_runs',
  endsJobs: true,
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
ended AS (
  DELETE FROM job_runs r USING ${inputTable(ends, 'i')} WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id, r.lane_id, r.state AS was_state, i.state, r.revision + 1 AS revision, r.attempt, i.attempt_count, r.session_id, r.assign_time, i.failure,
            r.progress_fraction, r.progress_message, r.progress_counts, i.reason, i.cancel_stage, r.cancel_time, i.cleanup_job_id, i.published_failure,
            i.result, i.result_content_type, i.result_metadata, i.skip_reason, r.parent_job_id, r.step, r.item, r.notifies_end
),
checkpoints AS (DELETE FROM job_checkpoints c USING ended e WHERE ${sameKey('c.job_id', 'e.job_id')}),
${groups({ from: 'ended', by: outboxColumns })},
${addCounts(`SELECT lane_id, CASE WHEN was_state = ${CANCELLING} AND attempt = 0 THEN ${WAITING} ELSE ${countedAs('was_state')} END AS state, -jobs AS jobs FROM groups`)},
published AS (${outboxInsert({ moved: true, failures: true })}),
${notifyEnds()}
INSERT INTO job_outcomes (job_id, state, revision, attempt, attempt_count, session_id, assign_time, end_time, failure,
                          progress_fraction, progress_message, progress_counts, reason, cancel_stage, cancel_time, cancel_reason, cleanup_job_id,
                          result, result_content_type, result_metadata, skip_reason)
SELECT job_id, state, revision, attempt, attempt_count, session_id, assign_time, now.time, failure,
       progress_fraction, progress_message, progress_counts, reason, cancel_stage,
       CASE WHEN cancel_stage IS NOT NULL THEN coalesce(cancel_time, now.time) END,
       CASE WHEN cancel_stage IS NOT NULL THEN reason END, cleanup_job_id, result, result_content_type, result_metadata, skip_reason
FROM ended, now
RETURNING ${watched} AS watched`,
  row: { watched: 'bool' },
} satisfies Statement;

export async function writeEnds(session: Session, changes: readonly End[]): Promise<boolean> {
  const [row] = await session.run(endRuns, [
    changes.map((c) => c.run.jobId),
    changes.map((c) => stateCodes[c.state]),
    changes.map((c) => c.attemptCount),
    changes.map((c) => (c.failure ? failureText(c.failure) : null)),
    changes.map((c) => c.reason),
    changes.map((c) => c.cancelStage && cancelStages[c.cancelStage]),
    changes.map((c) => c.cleanup?.jobId),
    changes.map((c) => (c.failure ? publishedFailure(c.failure) : null)),
    changes.map((c) => c.result?.data),
    changes.map((c) => c.result?.contentType),
    changes.map((c) => jsonOrNull(c.result?.metadata)),
    changes.map((c) => c.skipReason && skipReasons[c.skipReason]),
  ]);
  return row?.watched ?? false;
}

const attempts = {
  job_id: 'uuid',
  attempt: 'int',
  session_id: 'uuid',
  outcome: 'smallint',
  counted: 'boolean',
  assign_time: 'timestamptz',
  failure: 'text',
  exhausted: 'boolean',
};

const insertAttempts = {
  name: 'insert_attempts',
  text: `
INSERT INTO job_attempts (job_id, attempt, session_id, outcome, counted, assign_time, end_time, failure, exhausted)
SELECT job_id, attempt, session_id, outcome, counted, assign_time, (SELECT muster_now()), failure, exhausted
FROM ${inputTable(attempts, 'i')}`,
};

export async function writeAttempts(session: Session, changes: readonly Continue[]): Promise<void> {
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
    changes.map((c) => c.exhausted || null),
  ]);
}
