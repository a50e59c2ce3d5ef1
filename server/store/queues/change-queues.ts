/** Changes of queues. Each locks the queue's row first, then its lanes, so that changes and new lanes take turns. */
import { isDeepStrictEqual } from 'node:util';
import type { QueueChange, QueueName, QueueSettings, QueueStore, QueueUpdate } from '../../engine/ports/queues.ts';
import { gateLanes } from '../dispatch/gated-lanes.ts';
import { FOLD_ROWS, foldCounts } from '../dispatch/lane-counts.ts';
import { readHeadsOf } from '../dispatch/lanes.ts';
import { alignLimited } from '../dispatch/limits.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import { readBacklog, readBoundedQueues } from './backlogs.ts';
import {
  countQueue,
  etagOf,
  findQueue,
  listQueues,
  type QueueRow,
  queueKey,
  queueRowType,
  readQueue,
  settingsOf,
} from './queues.ts';

const createOne = {
  name: 'create_queue',
  text: `
INSERT INTO queues AS q (namespace, name, create_time) VALUES ($1, $2, (SELECT muster_now()))
ON CONFLICT (namespace, name) DO UPDATE SET create_time = excluded.create_time, delete_time = NULL
WHERE q.delete_time IS NOT NULL
RETURNING q.name`,
  row: { name: 'text' },
} satisfies Statement;

const lockOne = {
  name: 'lock_queue',
  text: 'SELECT * FROM queues WHERE namespace = $1 AND name = $2 AND delete_time IS NULL FOR UPDATE',
  row: { ...queueRowType, delete_time: 'timestamptz?', pause_time: 'timestamptz?' },
} satisfies Statement;

const changeOne = {
  name: 'change_queue',
  text: `
UPDATE queues SET description = $3, max_concurrency = $4, rate_limit = $5, fairness_weights = $6, max_backlog = $7, max_backlog_age_ms = $8,
                  revision = revision + $9::int
WHERE namespace = $1 AND name = $2`,
};

const pauseOne = {
  name: 'pause_queue',
  text: `
UPDATE queues SET paused = true, pause_reason = CASE WHEN $3 = '' THEN pause_reason ELSE $3 END, revision = revision + 1,
                  pause_time = CASE WHEN paused THEN pause_time ELSE (SELECT muster_now()) END
WHERE namespace = $1 AND name = $2 AND (NOT paused OR ($3 <> '' AND pause_reason <> $3))`,
};

const resumeOne = {
  name: 'resume_queue',
  text: `
UPDATE queues SET paused = false, pause_reason = '', pause_time = NULL, revision = revision + 1
WHERE namespace = $1 AND name = $2 AND paused`,
};

// The last condition always holds. Its column is not in the lanes' unique index, which would otherwise be read whole.
const ofQueue = `SELECT FROM lanes l WHERE ${queueKey('l.')} = q.namespace || '/' || q.name AND l.gates >= 0 OFFSET 0`;

// A queue without lanes is deleted. Any other keeps its row, for the job that restores the queue.
const deleteOne = {
  name: 'delete_queue',
  text: `
WITH gone AS (
  DELETE FROM queues q WHERE q.namespace = $1 AND q.name = $2
    AND NOT EXISTS (${ofQueue})
)
UPDATE queues q SET paused = false, pause_reason = '', pause_time = NULL, description = '', max_concurrency = NULL, rate_limit = NULL,
                    fairness_weights = NULL, max_backlog = 0, max_backlog_age_ms = NULL, revision = q.revision + 1, delete_time = (SELECT muster_now())
WHERE q.namespace = $1 AND q.name = $2 AND EXISTS (${ofQueue})`,
};

// Clean-ups are guaranteed to run: a pause of their queue does not gate their lane. IS NOT TRUE can't be looked up in
// the key of the lanes, which ends with that column.
const readLaneIds = {
  name: 'read_queue_lanes',
  text: `SELECT lane_id FROM lanes WHERE ${queueKey('lanes.')} = $1 || '/' || $2 AND cleanup IS NOT TRUE`,
  row: { lane_id: 'int4' },
} satisfies Statement;

async function laneIdsOf(session: Session, { namespace, name }: QueueName): Promise<number[]> {
  return (await session.run(readLaneIds, [namespace, name])).map((row) => row.lane_id);
}

type Work = (session: Session, row: QueueRow) => Promise<QueueChange | readonly number[]>;

async function done(session: Session, queue: QueueName, reopened: readonly number[] = []): Promise<QueueChange> {
  const now = await readQueue(session, queue);
  return now ? { kind: 'done', queue: now, reopened } : { kind: 'missing' };
}

/** Changes an existing queue. `work` returns the lanes it opened, or a refusal before it has changed anything. */
function change(database: Database, queue: QueueName, work: Work): Promise<QueueChange> {
  const { namespace, name } = queue;
  return database.transaction(async (session) => {
    if (!(await findQueue(session, queue))) return { kind: 'missing' };
    const [row] = await session.run(lockOne, [namespace, name]);
    if (!row) return { kind: 'missing' };
    const result = await work(session, row);
    return 'kind' in result ? result : done(session, queue, result);
  });
}

/** Writes the settings that differ. Realigns the lanes if the queue got its first limit or lost its last. */
async function changeSettings(
  session: Session,
  queue: QueueName,
  row: QueueRow,
  changed: Partial<QueueSettings>,
  isNew = false,
): Promise<void> {
  const before = settingsOf(row);
  const after = { ...before, ...changed };
  if (isDeepStrictEqual(after, before)) return;
  const { description, maxConcurrency = null, rateLimit, fairnessWeights, maxBacklog, maxBacklogAgeMs } = after;
  const weights = Object.keys(fairnessWeights).length > 0 ? JSON.stringify(fairnessWeights) : null;
  const rate = rateLimit ? JSON.stringify(rateLimit) : null;
  await session.run(changeOne, [
    queue.namespace,
    queue.name,
    description,
    maxConcurrency,
    rate,
    weights,
    maxBacklog,
    maxBacklogAgeMs,
    isNew ? 0 : 1,
  ]);
  const hasLimit = (settings: QueueSettings) =>
    settings.maxConcurrency !== undefined || settings.rateLimit !== undefined;
  if (hasLimit(after) !== hasLimit(before)) await alignLimited(session, await laneIdsOf(session, queue));
}

function createQueue(database: Database, queue: QueueName, settings: Partial<QueueSettings>): Promise<QueueChange> {
  return database.transaction(async (session) => {
    if (await findQueue(session, queue)) return { kind: 'exists' };
    const made = await session.run(createOne, [queue.namespace, queue.name]);
    const [row] = await session.run(lockOne, [queue.namespace, queue.name]);
    if (made.length === 0 || !row) return { kind: 'exists' };
    await changeSettings(session, queue, row, settings, true);
    return done(session, queue);
  });
}

function updateQueue(database: Database, queue: QueueName, update: QueueUpdate) {
  return change(database, queue, async (session, row) => {
    const etag = etagOf(row);
    if (update.etag !== '' && update.etag !== etag) return { kind: 'stale', etag };
    await changeSettings(session, queue, row, update.settings);
    return [];
  });
}

function pauseQueue(database: Database, queue: QueueName, reason: string) {
  return change(database, queue, async (session) => {
    await session.run(pauseOne, [queue.namespace, queue.name, reason]);
    await gateLanes(session, await laneIdsOf(session, queue), 'queuePaused', true);
    return [];
  });
}

function resumeQueue(database: Database, queue: QueueName) {
  return change(database, queue, async (session) => {
    await session.run(resumeOne, [queue.namespace, queue.name]);
    return gateLanes(session, await laneIdsOf(session, queue), 'queuePaused', false);
  });
}

function deleteQueue(database: Database, queue: QueueName): Promise<QueueChange> {
  return change(database, queue, async (session, row) => {
    const counts = Object.values(await countQueue(session, queue));
    const openJobs = counts.reduce((sum, jobs) => sum + jobs, 0);
    if (openJobs > 0) return { kind: 'notEmpty', openJobs };
    if (row.paused) await gateLanes(session, await laneIdsOf(session, queue), 'queuePaused', false);
    await changeSettings(session, queue, row, { maxConcurrency: undefined, rateLimit: undefined });
    await session.run(deleteOne, [queue.namespace, queue.name]);
    return { kind: 'deleted' };
  });
}

export function queueStore(database: Database): QueueStore {
  return {
    read: (queue) => readQueue(database, queue),
    list: (namespace, afterName, limit) => listQueues(database, namespace, afterName, limit),
    create: (queue, settings) => createQueue(database, queue, settings),
    update: (queue, update) => updateQueue(database, queue, update),
    pause: (queue, reason) => pauseQueue(database, queue, reason),
    resume: (queue) => resumeQueue(database, queue),
    delete: (queue) => deleteQueue(database, queue),
    readHeads: (laneIds) => readHeadsOf(database, laneIds),
    readBounded: (limit) => readBoundedQueues(database, limit),
    readBacklog: (queue, withAge) => readBacklog(database, queue, withAge),
    foldCounts: async () => (await foldCounts(database)) === FOLD_ROWS,
  };
}
