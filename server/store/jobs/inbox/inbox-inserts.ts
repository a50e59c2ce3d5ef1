/** Writes entries of the job inbox. */
import { inboxKinds } from '../../../domain/jobs/inbox.ts';
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import type { EndedStepState } from '../../../domain/workflows/step-state.ts';
import type { NewInboxRow } from '../../../engine/ports/inbox.ts';
import { inputTable } from '../../base/input-table.ts';
import { stepIdOf } from '../../base/target-ids.ts';
import type { Session } from '../../driver/database.ts';

/**
 * A CTE that writes the entries of ended jobs: for their workflows and batches, not for handlers that are their
 * parents, and for jobs that depend on them. It reads the CTE `now` with the column `time`, and the CTE `ended`:
 * `job_id`, `lane_id`, `parent_job_id`, `step`, `item`, `notifies_end`, and `state`, the end state, unless it is given.
 */
export function notifyEnds(state?: number): string {
  const outcome = state ?? 'state';
  return `notified AS (
  INSERT INTO job_inbox (subject_id, kind, step, state, items, child_ids, lane_id, entry_time)
  SELECT parent_job_id, ${inboxKinds.CHILDREN_ENDED}, step, ${outcome}, array_agg(item ORDER BY job_id),
         array_agg(job_id ORDER BY job_id), NULL, (SELECT time FROM now)
  FROM ended WHERE parent_job_id IS NOT NULL AND step >= 0
  GROUP BY parent_job_id, step${state === undefined ? ', state' : ''}
  UNION ALL
  SELECT job_id, ${inboxKinds.JOB_ENDED}, NULL, ${outcome}, NULL, NULL, lane_id, (SELECT time FROM now)
  FROM ended WHERE notifies_end
)`;
}

const columns = { subject_id: 'uuid', kind: 'smallint', step: 'smallint', state: 'smallint', reason: 'text' };

const insertSome = {
  name: 'insert_inbox',
  text: `
INSERT INTO job_inbox (subject_id, kind, step, state, reason, entry_time)
SELECT subject_id, kind, step, state, reason, (SELECT muster_now()) FROM ${inputTable(columns, 'i')}`,
};

/** No job has the state UPSTREAM_FAILED. */
const stepEndings: Readonly<Record<EndedStepState, number>> = {
  SUCCEEDED: stateCodes.SUCCEEDED,
  FAILED: stateCodes.FAILED,
  UPSTREAM_FAILED: stateCodes.FAILED,
  SKIPPED: stateCodes.SKIPPED,
};

export async function insertInbox(session: Session, entries: readonly NewInboxRow[]): Promise<void> {
  if (entries.length === 0) return;
  await session.run(insertSome, [
    entries.map(({ kind, jobId, step }) => (kind === 'STEP_ENDED' ? stepIdOf(jobId, step as number) : jobId)),
    entries.map(({ kind }) => inboxKinds[kind]),
    entries.map(({ step }) => step),
    entries.map(({ state }) => state && stepEndings[state]),
    entries.map(({ reason }) => reason),
  ]);
}
