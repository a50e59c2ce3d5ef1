/** Entries of the job inbox for workflows and batches whose jobs must be paused or resumed. */
import { inboxKinds } from '../../../domain/jobs/inbox.ts';
import type { ChildPause } from '../../../engine/ports/inbox.ts';
import { sameKey } from '../../base/same-key.ts';
import type { Session, Statement } from '../../driver/database.ts';

const findPauses = {
  name: 'find_child_pauses',
  text: `
SELECT i.row_id, i.subject_id, l.namespace
FROM (SELECT row_id, subject_id FROM job_inbox WHERE kind = ${inboxKinds.PAUSE_CHILDREN} ORDER BY row_id LIMIT $1) AS i
LEFT JOIN LATERAL (SELECT lane_id FROM job_runs WHERE job_runs.job_id = i.subject_id OFFSET 0) AS r ON true
LEFT JOIN lanes l ON ${sameKey('l.lane_id', 'r.lane_id')}
ORDER BY i.row_id`,
  row: { row_id: 'int8', subject_id: 'uuid', namespace: 'text?' },
} satisfies Statement;

/** The oldest entries PAUSE_CHILDREN. */
export async function findChildPauses(session: Session, limit: number): Promise<ChildPause[]> {
  const rows = await session.run(findPauses, [limit]);
  return rows.map((row) => ({ rowId: row.row_id, jobId: row.subject_id, namespace: row.namespace ?? undefined }));
}
