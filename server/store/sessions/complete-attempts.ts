/** Closes attempts with a result: deletes the run and inserts the outcome, in one fenced statement. */

import { cancelStages } from '../../domain/jobs/cancel-stage.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { AttemptKey, Completion, UncheckedAttempt, WrittenCompletions } from '../../engine/ports/attempts.ts';
import { inputTable } from '../base/input-table.ts';
import { jsonOrNull } from '../base/json.ts';
import { sameKey } from '../base/same-key.ts';
import { addCounts } from '../dispatch/lane-counts.ts';
import { byteSlices } from '../driver/arrays.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { groups, outboxInsert } from '../events/outbox.ts';
import { notifyEnds } from '../jobs/inbox/inbox-inserts.ts';
import { watched } from '../triggers/ended-causes.ts';

const columns = {
  place: 'int',
  job_id: 'uuid',
  attempt: 'int',
  session_id: 'uuid',
  result_start: 'int',
  result_length: 'int',
  result_content_type: 'text',
  result_metadata: 'text',
};

// The fence: job, attempt and session must match an open state, and the session must be open. The rows come sorted by
// id and are locked in that order, one look-up each. The IN is combined with an OR so that it is looked up in a hash
// table. IS NOT DISTINCT FROM keeps the planner off the index of held runs, which it would read whole for each row.
const statement = {
  name: 'complete_attempts',
  endsJobs: true,
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
open_sessions AS MATERIALIZED (SELECT session_id FROM sessions WHERE session_id = ANY($2::uuid[]) AND state IS NOT DISTINCT FROM 1),
i AS MATERIALIZED (
  SELECT * FROM ${inputTable(columns, 'i', 4)} WHERE i.session_id IS NULL OR i.session_id IN (SELECT session_id FROM open_sessions)
),
ended AS (
  DELETE FROM job_runs r USING i
  WHERE ${sameKey('r.job_id', 'i.job_id')} AND r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id
    AND r.state IN (${stateCodes.ASSIGNED}, ${stateCodes.RUNNING}, ${stateCodes.CANCELLING}) AND (NOT r.check_result OR $3::boolean)
  RETURNING r.job_id, r.lane_id, r.state AS was_state, r.revision + 1 AS revision, r.attempt, r.attempt_count, r.session_id, r.assign_time, r.progress_sequence,
            r.progress_fraction, r.progress_message, r.progress_counts, r.cancel_time, CASE WHEN r.cancel_time IS NOT NULL THEN r.reason END AS cancel_reason,
            i.place, i.result_start, i.result_length, i.result_content_type, i.result_metadata, r.limit_id, r.parent_job_id, r.step, r.item, r.notifies_end
),
recorded AS (
  INSERT INTO job_outcomes (job_id, state, revision, attempt, attempt_count, session_id, assign_time, end_time, result,
                            result_content_type, result_metadata, progress_fraction, progress_message, progress_counts, cancel_stage,
                            cancel_time, cancel_reason)
  SELECT job_id, ${stateCodes.SUCCEEDED}, revision, attempt, attempt_count + 1, session_id, assign_time, now.time,
         substring($1::bytea FROM result_start FOR result_length), result_content_type, result_metadata,
         progress_fraction, progress_message, progress_counts, CASE WHEN cancel_time IS NOT NULL THEN ${cancelStages.OVERTAKEN} END,
         cancel_time, cancel_reason
  FROM ended, now
),
${groups({ from: 'ended', by: ['revision', 'attempt', 'was_state'] })},
${addCounts(`SELECT lane_id, ${stateCodes.ASSIGNED} AS state, -jobs AS jobs FROM groups`)},
published AS (${outboxInsert({ state: stateCodes.SUCCEEDED, moved: true })}),
${notifyEnds(stateCodes.SUCCEEDED)}
SELECT place, lane_id, assign_time, attempt > 1 OR progress_sequence > 0 AS may_have_checkpoint, limit_id, parent_job_id, notifies_end, ${watched} AS watched
FROM ended`,
  row: {
    place: 'int4',
    lane_id: 'int4',
    assign_time: 'timestamptz',
    may_have_checkpoint: 'bool',
    limit_id: 'uuid?',
    parent_job_id: 'uuid?',
    notifies_end: 'bool',
    watched: 'bool',
  },
} satisfies Statement;

const readToCheck = {
  name: 'read_unchecked',
  text: `
SELECT r.job_id, r.attempt, r.session_id, r.lane_id
FROM ${inputTable({ job_id: 'uuid', attempt: 'int', session_id: 'uuid' }, 'i')} JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.check_result`,
  row: { job_id: 'uuid', attempt: 'int4', session_id: 'uuid', lane_id: 'int4' },
} satisfies Statement;

// A separate statement: a checkpoint whose transaction we waited for is younger than the snapshot of the one above.
const deleteCheckpoints = {
  name: 'delete_checkpoints',
  text: 'DELETE FROM job_checkpoints WHERE job_id = ANY($1::uuid[])',
};

export async function writeCompletions(
  session: Session,
  reported: readonly Completion[],
  checked: boolean,
): Promise<WrittenCompletions> {
  const completions = [...reported].sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
  const slices = byteSlices(completions.map((item) => item.result.data));
  const rows = await session.run(statement, [
    slices.bytes,
    [...new Set(completions.map((item) => item.sessionId))],
    checked,
    completions.map((_, place) => place),
    completions.map((item) => item.jobId),
    completions.map((item) => item.attempt),
    completions.map((item) => item.sessionId),
    slices.starts,
    slices.lengths,
    completions.map((item) => item.result.contentType),
    completions.map((item) => jsonOrNull(item.result.metadata)),
  ]);
  const keyOf = (row: RowOf<typeof statement>) => completions[row.place] as Completion;
  const completed = rows.map((row) => {
    const { jobId, attempt, sessionId } = keyOf(row);
    return {
      jobId,
      attempt,
      sessionId,
      laneId: row.lane_id,
      assignTimeUs: row.assign_time,
      limitId: row.limit_id ?? undefined,
      parentJobId: row.parent_job_id ?? undefined,
      notifiesDependents: row.notifies_end,
    };
  });
  const progressed = rows.flatMap((row) => (row.may_have_checkpoint ? [keyOf(row).jobId] : []));
  return { completed, progressed, watched: rows[0]?.watched ?? false };
}

export async function deleteJobCheckpoints(session: Session, jobIds: readonly string[]): Promise<void> {
  await session.run(deleteCheckpoints, [jobIds]);
}

/** Returns those attempts that are open in their session and whose result is to be checked. */
export async function readUnchecked(session: Session, attempts: readonly AttemptKey[]): Promise<UncheckedAttempt[]> {
  const rows = await session.run(readToCheck, [
    attempts.map((key) => key.jobId),
    attempts.map((key) => key.attempt),
    attempts.map((key) => key.sessionId),
  ]);
  return rows.map((row) => ({
    jobId: row.job_id,
    attempt: row.attempt,
    sessionId: row.session_id,
    laneId: row.lane_id,
  }));
}
