/** Reads of queues: their rows, their counts, and the deleted ones that jobs were submitted to since. */
import { stateOf } from '../../domain/jobs/job-state.ts';
import type { DeletedQueue, QueueCounts, QueueName, StoredQueue, StoredQueues } from '../../engine/ports/queues.ts';
import { columnsOf } from '../base/columns.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

/** The expression of the lanes' index by queue. `lanes`: the prefix of the table. */
export function queueKey(lanes: string): string {
  return `(${lanes}namespace || '/' || ${lanes}queue)`;
}

/**
 * Bytes of descriptions and reasons after which a page ends: an answer has to fit into the 4 MiB that clients accept.
 */
const PAGE_BYTES = 2 << 20;
/** Max deleted queues checked per page. */
const MAX_REVIVED = 1_000;

// A deleted queue exists again once a job was submitted to one of its lanes, which replicas address by number: then it
// has open jobs, or a job whose id is younger than the deletion. The check costs nothing until the queue is read.
// The time in an id is a replica's, which may be ahead of the database's: so the time of creation counts, too.
// Compared as rows, for which only the index by lane is sorted: by the primary key other lanes' jobs would be read too.
const findDeleted = {
  name: 'find_deleted_queues',
  text: `
SELECT q.name, EXISTS (
  SELECT FROM lanes l CROSS JOIN LATERAL (
    SELECT FROM jobs WHERE (jobs.lane_id, jobs.job_id) <= (l.lane_id, repeat('f', 32)::uuid) AND (jobs.lane_id, jobs.job_id) >= (
      l.lane_id,
      (lpad(to_hex(floor(extract(epoch FROM q.delete_time) * 1000)::bigint + 1), 12, '0') || repeat('0', 20))::uuid
    ) AND jobs.create_time > q.delete_time
    LIMIT 1
  ) AS younger
  WHERE ${queueKey('l.')} = q.namespace || '/' || q.name
) AS has_younger
FROM queues q
WHERE q.namespace = $1 AND q.name > $2 AND ($3::text IS NULL OR q.name = $3) AND q.delete_time IS NOT NULL
ORDER BY q.name LIMIT ${MAX_REVIVED}`,
  row: { name: 'text', has_younger: 'bool' },
} satisfies Statement;

const reviveMany = {
  name: 'revive_queues',
  text: `
WITH locked AS MATERIALIZED (
  SELECT namespace, name FROM queues WHERE namespace = $1 AND name = ANY($2::text[]) AND delete_time IS NOT NULL
  ORDER BY name FOR NO KEY UPDATE
)
UPDATE queues q SET delete_time = NULL, create_time = q.delete_time, revision = q.revision + 1
FROM locked l WHERE ${sameKey('q.namespace', 'l.namespace')} AND ${sameKey('q.name', 'l.name')}`,
};

export const queueRowType = {
  namespace: 'text',
  name: 'text',
  revision: 'int4',
  paused: 'bool',
  pause_reason: 'text',
  description: 'text',
  create_time: 'timestamptz',
  max_concurrency: 'int4?',
  rate_limit: 'text?',
  fairness_weights: 'jsonb?',
  max_backlog: 'int4',
  max_backlog_age_ms: 'int8?',
} satisfies RowType;

const columns = columnsOf(queueRowType);

export type QueueRow = RowWith<typeof queueRowType>;

const readOne = {
  name: 'read_queue',
  text: `SELECT ${columns}, delete_time FROM queues WHERE namespace = $1 AND name = $2`,
  row: { ...queueRowType, delete_time: 'timestamptz?' },
} satisfies Statement;

const listSome = {
  name: 'list_queues',
  text: `SELECT ${columns} FROM queues WHERE namespace = $1 AND name > $2 AND delete_time IS NULL ORDER BY name LIMIT $3`,
  row: queueRowType,
} satisfies Statement;

// One statement, so that both tables are read at the same moment.
const countMany = {
  name: 'read_queue_counts',
  text: `
WITH asked AS MATERIALIZED (
  SELECT l.lane_id, l.queue FROM unnest($2::text[]) AS i (queue)
  CROSS JOIN LATERAL (SELECT lane_id, queue FROM lanes WHERE ${queueKey('lanes.')} = $1 || '/' || i.queue OFFSET 0) AS l
),
recent AS MATERIALIZED (SELECT lane_id, state, sum(jobs) AS jobs FROM lane_count_changes GROUP BY lane_id, state)
SELECT queue, state, sum(jobs)::bigint AS jobs FROM (
  SELECT a.queue, k.state, k.jobs FROM asked a JOIN lane_counts k ON ${sameKey('k.lane_id', 'a.lane_id')}
  UNION ALL
  SELECT l.queue, r.state, r.jobs FROM recent r
  CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = r.lane_id OFFSET 0) AS l
  WHERE l.namespace = $1 AND l.queue = ANY($2::text[])
) AS parts
GROUP BY queue, state HAVING sum(jobs) <> 0`,
  row: { queue: 'text', state: 'int2', jobs: 'int8' },
} satisfies Statement;

/** By name. */
export async function readCounts(
  session: Session,
  namespace: string,
  names: readonly string[],
): Promise<Map<string, QueueCounts>> {
  const counts = new Map<string, QueueCounts>(names.map((name) => [name, {}]));
  if (names.length === 0) return counts;
  for (const row of await session.run(countMany, [namespace, names])) {
    const of = counts.get(row.queue);
    if (of) of[stateOf(row.state)] = row.jobs;
  }
  return counts;
}

export function queueOf(row: QueueRow): StoredQueue {
  return {
    namespace: row.namespace,
    name: row.name,
    paused: row.paused,
    pauseReason: row.pause_reason,
    createTimeUs: row.create_time,
    // Also differs from all earlier etags if a queue was deleted and created again.
    etag: `${row.revision}-${Number(row.create_time).toString(36)}`,
    description: row.description,
    maxConcurrency: row.max_concurrency ?? undefined,
    rateLimit: row.rate_limit === null ? undefined : JSON.parse(row.rate_limit),
    fairnessWeights: (row.fairness_weights ?? {}) as Record<string, number>,
    maxBacklog: row.max_backlog,
    maxBacklogAgeMs: row.max_backlog_age_ms,
  };
}

export async function findQueue(
  session: Session,
  { namespace, name }: QueueName,
): Promise<StoredQueue | 'deleted' | undefined> {
  const [row] = await session.run(readOne, [namespace, name]);
  return row?.delete_time ? 'deleted' : row && queueOf(row);
}

export async function findDeletedQueues(
  session: Session,
  namespace: string,
  afterName: string,
  name: string | undefined,
): Promise<DeletedQueue[]> {
  const rows = await session.run(findDeleted, [namespace, afterName, name ?? null]);
  return rows.map((row) => ({ name: row.name, hasYoungerJobs: row.has_younger }));
}

export async function reviveQueues(session: Session, namespace: string, names: readonly string[]): Promise<void> {
  await session.run(reviveMany, [namespace, names]);
}

export async function readPage(
  session: Session,
  namespace: string,
  afterName: string,
  limit: number,
): Promise<StoredQueues> {
  const rows = await session.run(listSome, [namespace, afterName, limit + 1]);
  let bytes = 0;
  const page = rows.slice(0, limit).filter((row) => {
    const fits = bytes < PAGE_BYTES;
    bytes += Buffer.byteLength(row.description) + Buffer.byteLength(row.pause_reason);
    return fits;
  });
  return { queues: page.map(queueOf), hasMore: page.length < rows.length };
}
