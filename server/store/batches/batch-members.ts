/** Rows of batches that get members. */
import { stateOf } from '../../domain/jobs/job-state.ts';
import type { BatchJob, LockedBatch } from '../../engine/ports/batches.ts';
import type { Session, Statement } from '../driver/database.ts';
import { retryColumns, retryOf, retryRowType } from './batch-retries.ts';
import { stopReasonOf } from './batch-stop-reasons.ts';

const lockOne = {
  name: 'lock_batch',
  text: `SELECT members, seal_time, stop_reason, ${retryColumns} FROM batches WHERE job_id = $1 FOR NO KEY UPDATE`,
  row: {
    members: 'int4',
    seal_time: 'timestamptz?',
    stop_reason: 'int2',
    ...retryRowType,
  },
} satisfies Statement;

// A separate statement: the one that locks may have begun before the batch was cancelled or ended.
const readJob = {
  name: 'read_batch_job',
  text: `
SELECT r.state, coalesce(r.timeouts_stopped, false) AS timeouts_stopped, l.namespace
FROM (SELECT lane_id FROM jobs WHERE job_id = $1 OFFSET 0) AS j CROSS JOIN LATERAL (SELECT namespace FROM lanes WHERE lanes.lane_id = j.lane_id OFFSET 0) AS l
LEFT JOIN LATERAL (SELECT state, timeouts_stopped FROM job_runs WHERE job_id = $1 OFFSET 0) AS r ON true`,
  row: { state: 'int2?', timeouts_stopped: 'bool', namespace: 'text' },
} satisfies Statement;

const addSome = {
  name: 'add_batch_members',
  text: 'UPDATE batches SET members = members + $2 WHERE job_id = $1',
};

export async function lockForMembers(session: Session, jobId: string): Promise<LockedBatch | undefined> {
  const [row] = await session.run(lockOne, [jobId]);
  return (
    row && {
      members: row.members,
      isSealed: row.seal_time !== null,
      stopReason: stopReasonOf(row.stop_reason),
      retry: row.retry_of === null ? undefined : retryOf(row),
    }
  );
}

export async function readBatchJob(session: Session, jobId: string): Promise<BatchJob | undefined> {
  const [row] = await session.run(readJob, [jobId]);
  if (!row) return undefined;
  const { namespace, state, timeouts_stopped: timeoutsStopped } = row;
  return { namespace, state: state === null ? undefined : stateOf(state), timeoutsStopped };
}

export async function addMembers(session: Session, jobId: string, members: number): Promise<void> {
  await session.run(addSome, [jobId, members]);
}
