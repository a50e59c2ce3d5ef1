/** Closes attempts with a result: the run goes, the outcome comes, in one fenced statement. */
import { cancelStages } from '../../domain/cancel-stage.ts';
import { stateCodes } from '../../domain/job-state.ts';
import type { AttemptKey, CompletedAttempt, Completion, UncheckedAttempt } from '../../engine/store-port.ts';
import { byteSlices, plainArray, textArray } from '../arrays.ts';
import type { Session } from '../database.ts';
import { inputTable } from '../input-table.ts';
import { sameKey } from '../same-key.ts';
import { jsonOrNull } from './insert-jobs.ts';
import { addCounts } from './lane-counts.ts';
import { tell } from './outbox.ts';

const columns = {
  job_id: 'uuid',
  attempt: 'int',
  session_id: 'uuid',
  result_start: 'int',
  result_length: 'int',
  result_content_type: 'text',
  result_metadata: 'text',
};

// The fence: job, attempt and session must match an open state, and the session must be open. The rows come sorted by id
// and are locked in that order, one look-up each. The IN stands beside an OR so that it is looked up in a hash table; IS NOT DISTINCT FROM keeps the
// planner off the index of what a session holds, which would read all of that for each row.
const statement = {
  name: 'complete_attempts',
  endsJobs: true,
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
i AS MATERIALIZED (SELECT * FROM ${inputTable(columns, 'i', 4)}),
open_sessions AS MATERIALIZED (SELECT session_id FROM sessions WHERE session_id = ANY($2::uuid[]) AND state IS NOT DISTINCT FROM 1),
locked AS MATERIALIZED (
  SELECT r.job_id, i.result_start, i.result_length, i.result_content_type, i.result_metadata
  FROM i CROSS JOIN LATERAL (
    SELECT job_id FROM job_runs
    WHERE job_runs.job_id = i.job_id AND job_runs.attempt = i.attempt AND job_runs.session_id IS NOT DISTINCT FROM i.session_id
      AND job_runs.state IN (${stateCodes.ASSIGNED}, ${stateCodes.RUNNING}, ${stateCodes.CANCELLING})
      AND (NOT job_runs.check_result OR $3::boolean)
    FOR UPDATE
  ) AS r
  WHERE i.session_id IS NULL OR i.session_id IN (SELECT session_id FROM open_sessions)
),
ended AS (
  DELETE FROM job_runs r USING locked l WHERE ${sameKey('r.job_id', 'l.job_id')}
  RETURNING r.job_id, r.lane_id, r.state AS was_state, r.revision + 1 AS revision, r.attempt, r.attempts_counted, r.session_id, r.assign_time, r.progress_sequence,
            r.progress_fraction, r.progress_message, r.cancel_time,
            CASE WHEN r.cancel_time IS NOT NULL THEN r.reason END AS cancel_reason, l.result_start, l.result_length, l.result_content_type, l.result_metadata
),
recorded AS (
  INSERT INTO job_outcomes (job_id, state, revision, attempt, attempts_counted, session_id, assign_time, end_time, result,
                            result_content_type, result_metadata, progress_fraction, progress_message, cancel_stage,
                            cancel_time, cancel_reason)
  SELECT job_id, ${stateCodes.SUCCEEDED}, revision, attempt, attempts_counted + 1, session_id, assign_time, now.time,
         substring($1::bytea FROM result_start FOR result_length), result_content_type, result_metadata,
         progress_fraction, progress_message, CASE WHEN cancel_time IS NOT NULL THEN ${cancelStages.OVERTAKEN} END,
         cancel_time, cancel_reason
  FROM ended, now
),
${addCounts(`SELECT lane_id, ${stateCodes.ASSIGNED} AS state, -count(*) AS jobs FROM ended GROUP BY lane_id`)},
told AS (${tell({ from: 'ended', state: stateCodes.SUCCEEDED, moved: true })})
SELECT job_id, attempt, session_id, lane_id, assign_time, attempt > 1 OR progress_sequence > 0 AS may_have_checkpoint FROM ended`,
};

const readToCheck = {
  name: 'read_unchecked',
  text: `
SELECT r.job_id, r.attempt, r.session_id, r.lane_id
FROM ${inputTable({ job_id: 'uuid', attempt: 'int', session_id: 'uuid' }, 'i')} JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.check_result`,
};

// A statement of its own: a checkpoint whose transaction we waited for is younger than the snapshot of the one above.
const deleteCheckpoints = {
  name: 'delete_checkpoints',
  text: 'DELETE FROM job_checkpoints WHERE job_id = ANY($1::uuid[])',
};

/** The attempts that this call completed; the others were not open in their session, or are to be checked first. */
export async function completeAttempts(
  session: Session,
  reported: readonly Completion[],
  checked = false,
): Promise<CompletedAttempt[]> {
  const completions = [...reported].sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
  const slices = byteSlices(completions.map((item) => item.result.data));
  const rows = await session.run(statement, [
    slices.bytes,
    plainArray([...new Set(completions.map((item) => item.sessionId))]),
    checked,
    plainArray(completions.map((item) => item.jobId)),
    plainArray(completions.map((item) => item.attempt)),
    plainArray(completions.map((item) => item.sessionId)),
    slices.starts,
    slices.lengths,
    textArray(completions.map((item) => item.result.contentType)),
    textArray(completions.map((item) => jsonOrNull(item.result.metadata))),
  ]);
  const progressed = rows.filter((row) => row.may_have_checkpoint);
  if (progressed.length > 0) await session.run(deleteCheckpoints, [plainArray(progressed.map((row) => row.job_id))]);
  return rows.map((row) => ({
    jobId: row.job_id,
    attempt: row.attempt,
    sessionId: row.session_id,
    laneId: row.lane_id,
    assignTimeUs: row.assign_time,
  }));
}

/** Those of the attempts that are open in their session and have a result that is to be checked. */
export async function readUnchecked(session: Session, attempts: readonly AttemptKey[]): Promise<UncheckedAttempt[]> {
  const rows = await session.run(readToCheck, [
    plainArray(attempts.map((key) => key.jobId)),
    plainArray(attempts.map((key) => key.attempt)),
    plainArray(attempts.map((key) => key.sessionId)),
  ]);
  return rows.map((row) => ({
    jobId: row.job_id,
    attempt: row.attempt,
    sessionId: row.session_id,
    laneId: row.lane_id,
  }));
}
