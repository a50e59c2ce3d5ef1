/** Jobs put directly into any state, including states that no statement reaches yet. */
import { isTerminal, type JobState, stateCodes } from '../../../server/domain/jobs/job-state.ts';
import type { AttemptKey } from '../../../server/engine/ports/attempts.ts';
import { type StoreContext, sql } from './store-context.ts';
import { makeLane, only, openWorker, submitMany } from './store-fixtures.ts';

export interface PutRun extends AttemptKey {
  readonly laneId: number;
}

const held: JobState[] = ['ASSIGNED', 'RUNNING', 'CANCELLING'];
const notDue: JobState[] = ['ASSIGNED', 'WAITING'];

function openSql(state: JobState, key: AttemptKey): string {
  const due = notDue.includes(state) ? 'NULL' : `muster_now() - interval '1 second'`;
  const holder = held.includes(state) ? `'${key.sessionId}'` : 'NULL';
  return `UPDATE job_runs SET state = ${stateCodes[state]}, attempt = ${key.attempt}, session_id = ${holder}, credit_id = 7,
          assign_time = muster_now(), due_time = ${due} WHERE job_id = '${key.jobId}'`;
}

/** Ends a job like `putRun`, without a session. */
export function endedRow(state: JobState, jobId: string, failureType = 'T'): string {
  return endedSql(state, { jobId, attempt: 1, sessionId: undefined }, failureType);
}

function endedSql(state: JobState, key: Omit<AttemptKey, 'sessionId'> & { sessionId: string | undefined }, type = 'T') {
  const byWorker = key.sessionId && ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(state);
  const result =
    state === 'SUCCEEDED' ? `'\\x00', 'x', NULL` : `NULL, NULL, '{"type":"${type}","failureCause":"APPLICATION"}'`;
  return `WITH ended AS (DELETE FROM job_runs WHERE job_id = '${key.jobId}')
          INSERT INTO job_outcomes (job_id, state, revision, attempt, attempt_count, session_id, assign_time, end_time,
                                    result, result_content_type, failure, skip_reason)
          VALUES ('${key.jobId}', ${stateCodes[state]}, 3, ${key.attempt}, 0, ${byWorker ? `'${key.sessionId}'` : 'NULL'},
                  muster_now(), muster_now(), ${result}, ${state === 'SKIPPED' ? 1 : 'NULL'})`;
}

/**
 * A job of a lane with a session where the state has one. A job that waits for a time is due; the attempt is 1 if there
 * was one, and the key matches the lease.
 */
export async function putRun(context: StoreContext, state: JobState): Promise<PutRun> {
  const laneId = await makeLane(context);
  const jobId = only(await submitMany(context, laneId, 1));
  const { sessionId } = await openWorker(context);
  const attempt = held.includes(state) || isTerminal(state) ? 1 : 0;
  const key = { jobId, attempt, sessionId };
  if (isTerminal(state)) await sql(context, endedSql(state, key));
  else await sql(context, openSql(state, key));
  return { ...key, laneId };
}
