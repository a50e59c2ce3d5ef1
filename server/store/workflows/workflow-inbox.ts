/** What workflows are told: a row for each thing, written by the transaction that makes it so, taken by the one that acts on it. */
import { isSuspended } from '../../domain/jobs/decide.ts';
import { stateOf } from '../../domain/jobs/job-state.ts';
import type { Continue } from '../../domain/jobs/run.ts';
import { type InboxKind, inboxKinds, MAX_INBOX_ROWS } from '../../domain/workflows/inbox.ts';
import type { AbandonedInbox, InboxRow, StepKey } from '../../engine/ports/workflows.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Row, Session } from '../driver/database.ts';

/**
 * A CTE that tells workflows which jobs of their steps have ended, and no handler of its children, beside one called `now` with the time. Each row of
 * `ended` has `job_id`, `parent_job_id`, `step` and `item`, and the state as which it ended, unless it is given here.
 */
export function notifyParents(ended: string, state?: number): string {
  const outcome = state ?? 'state';
  return `parents_told AS (
  INSERT INTO workflow_news (job_id, kind, step, state, items, child_ids, news_time)
  SELECT parent_job_id, ${inboxKinds.CHILDREN_ENDED}, step, ${outcome}, array_agg(item ORDER BY job_id), array_agg(job_id ORDER BY job_id),
         (SELECT time FROM now)
  FROM ${ended} WHERE parent_job_id IS NOT NULL AND step >= 0 GROUP BY parent_job_id, step${state === undefined ? ', state' : ''}
)`;
}

/** News without jobs. */
export type PlainInboxRow = Pick<StepKey, 'jobId'> & {
  readonly kind: InboxKind;
  readonly step?: number | undefined;
  readonly reason?: string;
};

const insertMany = {
  name: 'insert_workflow_news',
  text: `
INSERT INTO workflow_news (job_id, kind, step, reason, news_time)
SELECT job_id, kind, step, reason, (SELECT muster_now())
FROM ${inputTable({ job_id: 'uuid', kind: 'smallint', step: 'smallint', reason: 'text' }, 'i')}`,
};

export async function insertInbox(session: Session, inbox: readonly PlainInboxRow[]): Promise<void> {
  if (inbox.length === 0) return;
  await session.run(insertMany, [
    inbox.map((item) => item.jobId),
    inbox.map((item) => inboxKinds[item.kind]),
    inbox.map((item) => item.step),
    inbox.map((item) => item.reason),
  ]);
}

/** What a change of a run is to the workflow; undefined for all other jobs. */
function inboxKindOf({ run, event }: Continue): InboxKind | undefined {
  if (event === 'start') return 'STARTED';
  if (run.state !== 'WAITING' || isSuspended(run)) return undefined;
  return event === 'timeOut' ? 'TIME_OUT' : 'CANCEL';
}

/** Tells those among the changed runs that are workflows. */
export async function notifyWorkflows(session: Session, changes: readonly Continue[]): Promise<void> {
  const inbox = changes.flatMap((change) => {
    const kind = inboxKindOf(change);
    return kind ? [{ jobId: change.run.jobId, kind }] : [];
  });
  await insertInbox(session, inbox);
}

/** Rows that are looked at for what is left. */
const SCANNED_ROWS = 10_000;
/** Of what ended workflows had to cancel: whoever asks begins with all of it at once. */
const MAX_CANCELS = 100;

/** Compared as rows, for which only the index by job is sorted: the primary key would be read from its start. */
function inboxOfJob(jobId: string): string {
  return `(w.job_id, w.row_id) > (${jobId}, 0) AND (w.job_id, w.row_id) < (${jobId}, ${2n ** 63n - 1n})`;
}

/** What ends all else: it goes before what there was to do until then, however much that is. */
const stops = `(${inboxKinds.CANCEL}, ${inboxKinds.TIME_OUT}, ${inboxKinds.SKIP_STEP})`;

// Whoever holds the lock of a workflow is alone with its news.
const takeSome = {
  name: 'take_workflow_news',
  text: `
WITH picked AS MATERIALIZED (
  SELECT n.* FROM unnest($1::uuid[]) AS i (job_id)
  CROSS JOIN LATERAL (
    (SELECT * FROM workflow_news w WHERE ${inboxOfJob('i.job_id')} AND w.kind IN ${stops})
    UNION ALL
    (SELECT * FROM workflow_news w WHERE ${inboxOfJob('i.job_id')} AND w.kind NOT IN ${stops} ORDER BY w.job_id, w.row_id LIMIT ${MAX_INBOX_ROWS})
  ) AS n
  ORDER BY n.kind NOT IN ${stops}, n.row_id LIMIT ${MAX_INBOX_ROWS}
),
gone AS (
  DELETE FROM workflow_news w USING picked p
  WHERE ${sameKey('w.row_id', 'p.row_id')} AND p.kind <> ${inboxKinds.CANCEL_CHILDREN}
)
SELECT * FROM picked ORDER BY row_id`,
};

const kinds = new Map<number, InboxKind>(Object.entries(inboxKinds).map(([kind, code]) => [code, kind as InboxKind]));

function inboxRow(row: Row): InboxRow {
  return {
    rowId: row.row_id,
    kind: kinds.get(row.kind) as InboxKind,
    step: row.step ?? undefined,
    state: row.state === null ? undefined : stateOf(row.state),
    items: row.items ?? [],
    childIds: row.child_ids ?? [],
    reason: row.reason ?? undefined,
  };
}

/** By workflow, oldest first; for whoever has locked them. Those of the kind CANCEL_CHILDREN stay. */
export async function takeInbox(session: Session, jobIds: readonly string[]): Promise<Map<string, InboxRow[]>> {
  const taken = new Map<string, InboxRow[]>();
  for (const row of await session.run(takeSome, [jobIds])) {
    const inbox = taken.get(row.job_id) ?? [];
    inbox.push(inboxRow(row));
    taken.set(row.job_id, inbox);
  }
  return taken;
}

const dropSome = {
  name: 'drop_workflow_news',
  text: 'DELETE FROM workflow_news WHERE row_id = ANY($1::bigint[])',
};

export async function dropInbox(session: Session, rowIds: readonly number[]): Promise<void> {
  if (rowIds.length > 0) await session.run(dropSome, [rowIds]);
}

// What comes after a workflow's end, such as the ends of jobs that it had cancelled, is for nobody, and goes. But what it had to cancel
// as it ended may have been left by a replica that died: that stays until it is done, as long as the workflow is kept.
const findSome = {
  name: 'find_told_workflows',
  text: `
WITH old AS MATERIALIZED (
  SELECT job_id, min(row_id) AS first_row_id
  FROM (SELECT job_id, row_id, news_time FROM workflow_news ORDER BY row_id LIMIT ${SCANNED_ROWS}) AS oldest
  WHERE news_time <= (SELECT muster_now()) - $1 * interval '1 ms'
  GROUP BY job_id
),
told AS MATERIALIZED (
  SELECT old.job_id, old.first_row_id, r.job_id IS NOT NULL AS is_open
  FROM old LEFT JOIN LATERAL (SELECT job_id FROM job_runs WHERE job_runs.job_id = old.job_id OFFSET 0) AS r ON true
),
late AS MATERIALIZED (
  SELECT n.row_id FROM (SELECT job_id FROM told WHERE NOT is_open) AS ended
  CROSS JOIN LATERAL (
    SELECT w.row_id FROM workflow_news w
    WHERE ${inboxOfJob('ended.job_id')} AND (
      w.kind <> ${inboxKinds.CANCEL_CHILDREN} OR NOT EXISTS (SELECT FROM jobs WHERE jobs.job_id = w.job_id OFFSET 0)
    )
    ORDER BY w.job_id, w.row_id LIMIT ${MAX_INBOX_ROWS} FOR UPDATE SKIP LOCKED
  ) AS n
),
gone AS (
  DELETE FROM workflow_news w USING late l WHERE ${sameKey('w.row_id', 'l.row_id')}
)
(SELECT job_id, first_row_id AS row_id, NULL::smallint AS step, NULL::text AS namespace
 FROM told WHERE is_open ORDER BY first_row_id LIMIT $2)
UNION ALL
(SELECT n.job_id, n.row_id, n.step, l.namespace
 FROM (SELECT job_id FROM told WHERE NOT is_open) AS ended
 CROSS JOIN LATERAL (
   SELECT w.job_id, w.row_id, w.step FROM workflow_news w
   WHERE ${inboxOfJob('ended.job_id')} AND w.kind = ${inboxKinds.CANCEL_CHILDREN} ORDER BY w.job_id, w.row_id LIMIT ${MAX_CANCELS}
 ) AS n
 CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = n.job_id OFFSET 0) AS j
 JOIN lanes l ON ${sameKey('l.lane_id', 'j.lane_id')}
 ORDER BY n.row_id LIMIT least($2, ${MAX_CANCELS}))`,
};

/** In the order of their oldest news; looks at the 10,000 oldest rows. */
export async function findAbandoned(session: Session, olderThanMs: number, limit: number): Promise<AbandonedInbox> {
  const rows = await session.run(findSome, [olderThanMs, limit]);
  const cancels = rows.flatMap(({ job_id: jobId, row_id: rowId, step, namespace }) =>
    namespace === null ? [] : [{ namespace, jobId, step: step ?? undefined, rowId }],
  );
  return { jobIds: rows.flatMap((row) => (row.namespace === null ? [row.job_id] : [])), cancels };
}
