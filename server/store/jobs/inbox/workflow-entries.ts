/** Entries of the job inbox for workflows and batches: taken under their lock, or found abandoned. */
import { inboxKinds, MAX_INBOX_ROWS, recipients, type WorkflowEntryKind } from '../../../domain/jobs/inbox.ts';
import { stateCodes, stateOf } from '../../../domain/jobs/job-state.ts';
import type { AbandonedInbox, InboxRow } from '../../../engine/ports/inbox.ts';
import { columnsOf } from '../../base/columns.ts';
import { sameKey } from '../../base/same-key.ts';
import { isLeft } from '../../base/times.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf, RowType } from '../../driver/row-types.ts';

/** Max rows that `findAbandoned` reads, from the oldest. */
const SCANNED_ROWS = 10_000;
/** Max cancels of ended workflows per call: the caller starts all of them at once. */
const MAX_CANCELS = 100;

/** Compared as rows: only the index by workflow is sorted by them. The primary key would be read from its start. */
function inboxOf(jobId: string): string {
  const [min, max] = [0n, 2n ** 63n - 1n];
  return `w.kind < ${inboxKinds.JOB_ENDED} AND w.kind <> ${inboxKinds.PAUSE_CHILDREN}
      AND (w.subject_id, w.row_id) > (${jobId}, ${min}) AND (w.subject_id, w.row_id) < (${jobId}, ${max})`;
}

/** Both values come from another table, or the planner may read all rows of the recipient and compare them. */
const sameRow = (row: string, other: string) =>
  `${sameKey(`${row}.recipient`, `${other}.recipient`)} AND ${sameKey(`${row}.row_id`, `${other}.row_id`)}`;

/** Entries that stop a workflow are taken first, however old the others are. */
const stops = `(${inboxKinds.CANCEL}, ${inboxKinds.TIME_OUT}, ${inboxKinds.SKIP_STEP})`;

const entryRowType = {
  row_id: 'int8',
  subject_id: 'uuid',
  kind: 'int2',
  recipient: 'int2',
  step: 'int2?',
  state: 'int2?',
  items: 'int4[]?',
  child_ids: 'uuid[]?',
  lane_id: 'int4?',
  entry_time: 'timestamptz',
  reason: 'text?',
} satisfies RowType;

// The transaction that has locked a workflow is the only one to take its entries. Those of a paused one stay.
const takeSome = {
  name: 'take_workflow_inbox',
  text: `
WITH picked AS MATERIALIZED (
  SELECT n.* FROM unnest($1::uuid[]) AS i (job_id)
  LEFT JOIN LATERAL (SELECT state FROM job_runs WHERE job_runs.job_id = i.job_id OFFSET 0) AS r ON true
  CROSS JOIN LATERAL (
    (SELECT * FROM job_inbox w WHERE ${inboxOf('i.job_id')} AND w.kind IN ${stops})
    UNION ALL
    (SELECT * FROM job_inbox w WHERE ${inboxOf('i.job_id')} AND w.kind NOT IN ${stops}
     ORDER BY w.subject_id, w.row_id LIMIT ${MAX_INBOX_ROWS})
  ) AS n
  WHERE r.state IS DISTINCT FROM ${stateCodes.PAUSED}
  ORDER BY n.kind NOT IN ${stops}, n.row_id LIMIT ${MAX_INBOX_ROWS}
),
gone AS (
  DELETE FROM job_inbox w USING picked p WHERE ${sameRow('w', 'p')} AND p.kind <> ${inboxKinds.CANCEL_CHILDREN}
)
SELECT ${columnsOf(entryRowType)} FROM picked ORDER BY row_id`,
  row: entryRowType,
} satisfies Statement;

const kinds = new Map<number, WorkflowEntryKind>(
  Object.entries(inboxKinds).map(([kind, code]) => [code, kind as WorkflowEntryKind]),
);

function inboxRow(row: RowOf<typeof takeSome>): InboxRow {
  return {
    rowId: row.row_id,
    kind: kinds.get(row.kind) as WorkflowEntryKind,
    step: row.step ?? undefined,
    state: row.state === null ? undefined : stateOf(row.state),
    items: row.items ?? [],
    childIds: row.child_ids ?? [],
    reason: row.reason ?? undefined,
  };
}

/** By workflow, oldest first, for the transaction that has locked them. Entries CANCEL_CHILDREN stay, as those of paused ones. */
export async function takeInbox(session: Session, jobIds: readonly string[]): Promise<Map<string, InboxRow[]>> {
  const taken = Map.groupBy(await session.run(takeSome, [jobIds]), (row) => row.subject_id);
  return new Map(Array.from(taken, ([jobId, rows]) => [jobId, rows.map(inboxRow)]));
}

const dropSome = {
  name: 'drop_workflow_inbox',
  text: `DELETE FROM job_inbox WHERE recipient = ${recipients.WORKFLOW} AND row_id = ANY($1::bigint[])`,
};

export async function dropInbox(session: Session, rowIds: readonly number[]): Promise<void> {
  if (rowIds.length > 0) await session.run(dropSome, [rowIds]);
}

// Entries that come after a workflow's end, such as the ends of jobs that it had cancelled, have no reader and are
// deleted. But its order to cancel jobs may come from a replica that died: that stays until it is carried out, as long
// as the workflow is kept. Entries of paused workflows wait for the resume: a scan may consist of them alone, so the next
// one continues behind it.
const findSome = {
  name: 'find_abandoned_inbox',
  text: `
WITH oldest AS MATERIALIZED (
  SELECT subject_id, row_id, entry_time, kind FROM job_inbox
  WHERE (recipient, row_id) > (${recipients.WORKFLOW}::smallint, $3::bigint) AND recipient = ${recipients.WORKFLOW}
  ORDER BY recipient, row_id LIMIT ${SCANNED_ROWS}
),
old AS MATERIALIZED (
  SELECT subject_id, min(row_id) AS first_row_id
  FROM oldest WHERE kind <> ${inboxKinds.PAUSE_CHILDREN} AND ${isLeft('entry_time', '$1')}
  GROUP BY subject_id
),
abandoned AS MATERIALIZED (
  SELECT old.subject_id, old.first_row_id, r.state IS NOT NULL AS is_open
  FROM old LEFT JOIN LATERAL (SELECT state FROM job_runs WHERE job_runs.job_id = old.subject_id OFFSET 0) AS r ON true
  WHERE r.state IS DISTINCT FROM ${stateCodes.PAUSED}
),
late AS MATERIALIZED (
  SELECT n.recipient, n.row_id FROM (SELECT subject_id FROM abandoned WHERE NOT is_open) AS ended
  CROSS JOIN LATERAL (
    SELECT w.recipient, w.row_id FROM job_inbox w
    WHERE ${inboxOf('ended.subject_id')} AND (
      w.kind <> ${inboxKinds.CANCEL_CHILDREN} OR NOT EXISTS (SELECT FROM jobs WHERE jobs.job_id = w.subject_id OFFSET 0)
    )
    ORDER BY w.subject_id, w.row_id LIMIT ${MAX_INBOX_ROWS} FOR UPDATE SKIP LOCKED
  ) AS n
),
gone AS (
  DELETE FROM job_inbox w USING late l WHERE ${sameRow('w', 'l')}
)
(SELECT subject_id, first_row_id AS row_id, NULL::smallint AS step, NULL::text AS namespace
 FROM abandoned WHERE is_open ORDER BY first_row_id LIMIT $2)
UNION ALL
(SELECT n.subject_id, n.row_id, n.step, l.namespace
 FROM (SELECT subject_id FROM abandoned WHERE NOT is_open) AS ended
 CROSS JOIN LATERAL (
   SELECT w.subject_id, w.row_id, w.step FROM job_inbox w
   WHERE ${inboxOf('ended.subject_id')} AND w.kind = ${inboxKinds.CANCEL_CHILDREN}
   ORDER BY w.subject_id, w.row_id LIMIT ${MAX_CANCELS}
 ) AS n
 CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = n.subject_id OFFSET 0) AS j
 JOIN lanes l ON ${sameKey('l.lane_id', 'j.lane_id')}
 ORDER BY n.row_id LIMIT least($2, ${MAX_CANCELS}))
UNION ALL
(SELECT NULL, 0, NULL, NULL
 FROM job_inbox WHERE recipient = ${recipients.DEPENDENTS} ORDER BY row_id LIMIT 1)
UNION ALL
(SELECT NULL, max(row_id), NULL, NULL FROM oldest HAVING count(*) = ${SCANNED_ROWS})`,
  row: { subject_id: 'uuid?', row_id: 'int8', step: 'int2?', namespace: 'text?' },
} satisfies Statement;

/** Workflows in the order of their oldest entries. */
export async function findAbandoned(
  session: Session,
  olderThanMs: number,
  limit: number,
  afterRowId: number,
): Promise<AbandonedInbox> {
  const rows = await session.run(findSome, [olderThanMs, limit, afterRowId]);
  const cancels = rows.flatMap(({ subject_id: jobId, row_id: rowId, step, namespace }) =>
    namespace === null ? [] : [{ namespace, jobId: jobId as string, step: step ?? undefined, rowId }],
  );
  const workflows = rows.flatMap((row) => (row.namespace === null && row.subject_id ? [row.subject_id] : []));
  // Without a subject: 0 stands for entries for dependents, another number is where a full scan ended.
  const rest = rows.flatMap((row) => (row.subject_id === null ? [row.row_id] : []));
  const last = rest.find((rowId) => rowId > 0);
  const isAll = last === undefined || workflows.length >= limit;
  return { workflows, cancels, dependencies: rest.includes(0), nextRowId: isAll ? 0 : last };
}
