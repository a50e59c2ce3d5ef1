/** Changes of queues: each locks the queue's row first, then its lanes, so that they and the making of lanes take turns. */
import type { NewQueue, QueueChange, QueueName, QueueStore, QueueUpdate } from '../../engine/queues.ts';
import type { Database, Row, Session } from '../database.ts';
import { changeBounds, readBacklog, readBoundedQueues } from './backlogs.ts';
import { holdLanesBack } from './held-lanes.ts';
import { FOLD_ROWS, foldCounts } from './lane-counts.ts';
import { readHeadsOf } from './lanes.ts';
import { countQueue, etagOf, findQueue, listQueues, queueKey, readQueue } from './queues.ts';

const createOne = {
  name: 'create_queue',
  text: `
INSERT INTO queues AS q (namespace, name, description, create_time, max_backlog, max_backlog_age_ms)
VALUES ($1, $2, $3, (SELECT muster_now()), $4, $5)
ON CONFLICT (namespace, name) DO UPDATE
SET revision = q.revision + 1, description = excluded.description, create_time = excluded.create_time, delete_time = NULL,
    max_backlog = excluded.max_backlog, max_backlog_age_ms = excluded.max_backlog_age_ms
WHERE q.delete_time IS NOT NULL
RETURNING q.name`,
};

const lockOne = {
  name: 'lock_queue',
  text: `
SELECT paused, revision, create_time, max_backlog, max_backlog_age_ms FROM queues
WHERE namespace = $1 AND name = $2 AND delete_time IS NULL FOR UPDATE`,
};

const describeOne = {
  name: 'describe_queue',
  text: `
UPDATE queues SET description = $3, revision = revision + 1
WHERE namespace = $1 AND name = $2 AND description <> $3`,
};

const pauseOne = {
  name: 'pause_queue',
  text: `
UPDATE queues SET paused = true, pause_reason = CASE WHEN $3 = '' THEN pause_reason ELSE $3 END, revision = revision + 1
WHERE namespace = $1 AND name = $2 AND (NOT paused OR ($3 <> '' AND pause_reason <> $3))`,
};

const resumeOne = {
  name: 'resume_queue',
  text: `
UPDATE queues SET paused = false, pause_reason = '', revision = revision + 1
WHERE namespace = $1 AND name = $2 AND paused`,
};

// The last condition holds for each: it asks for something that the key of the lanes does not have, which would be read whole.
const ofQueue = `SELECT FROM lanes l WHERE ${queueKey('l.')} = q.namespace || '/' || q.name AND l.held_back >= 0 OFFSET 0`;

// One without lanes leaves nothing; of any other the row stays, for the job that makes it anew.
const deleteOne = {
  name: 'delete_queue',
  text: `
WITH gone AS (
  DELETE FROM queues q WHERE q.namespace = $1 AND q.name = $2
    AND NOT EXISTS (${ofQueue})
)
UPDATE queues q SET paused = false, pause_reason = '', description = '', revision = q.revision + 1,
                    max_backlog = 0, max_backlog_age_ms = NULL, delete_time = (SELECT muster_now())
WHERE q.namespace = $1 AND q.name = $2 AND EXISTS (${ofQueue})`,
};

// What cleans up is promised to run: a pause of its queue does not hold it back. IS NOT TRUE is nothing to look up in the
// key of the lanes, which ends with that column.
const readLaneIds = {
  name: 'read_queue_lanes',
  text: `SELECT lane_id FROM lanes WHERE ${queueKey('lanes.')} = $1 || '/' || $2 AND cleanup IS NOT TRUE`,
};

async function laneIdsOf(session: Session, { namespace, name }: QueueName): Promise<number[]> {
  return (await session.run(readLaneIds, [namespace, name])).map((row) => row.lane_id);
}

type Work = (session: Session, row: Row) => Promise<QueueChange | readonly number[]>;

async function done(session: Session, queue: QueueName, letGo: readonly number[] = []): Promise<QueueChange> {
  const now = await readQueue(session, queue);
  return now ? { kind: 'done', queue: now, letGo } : { kind: 'missing' };
}

/** Changes a queue that is there; `work` returns the lanes that were let go, or a refusal before it has changed anything. */
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

function createQueue(database: Database, queue: NewQueue): Promise<QueueChange> {
  return database.transaction(async (session) => {
    if (await findQueue(session, queue)) return { kind: 'exists' };
    const { namespace, name, description, maxBacklog = 0, maxBacklogAgeMs = null } = queue;
    const made = await session.run(createOne, [namespace, name, description, maxBacklog, maxBacklogAgeMs]);
    return made.length > 0 ? done(session, queue) : { kind: 'exists' };
  });
}

function updateQueue(database: Database, queue: QueueName, update: QueueUpdate) {
  return change(database, queue, async (session, row) => {
    const etag = etagOf(row);
    if (update.etag !== '' && update.etag !== etag) return { kind: 'stale', etag };
    const { namespace, name } = queue;
    if (update.description !== undefined) await session.run(describeOne, [namespace, name, update.description]);
    await changeBounds(session, queue, row, update);
    return [];
  });
}

function pauseQueue(database: Database, queue: QueueName, reason: string) {
  return change(database, queue, async (session) => {
    await session.run(pauseOne, [queue.namespace, queue.name, reason]);
    await holdLanesBack(session, await laneIdsOf(session, queue), 'queuePaused', true);
    return [];
  });
}

function resumeQueue(database: Database, queue: QueueName) {
  return change(database, queue, async (session) => {
    await session.run(resumeOne, [queue.namespace, queue.name]);
    return holdLanesBack(session, await laneIdsOf(session, queue), 'queuePaused', false);
  });
}

function deleteQueue(database: Database, queue: QueueName): Promise<QueueChange> {
  return change(database, queue, async (session, row) => {
    const counts = Object.values(await countQueue(session, queue));
    const openJobs = counts.reduce((sum, jobs) => sum + jobs, 0);
    if (openJobs > 0) return { kind: 'notEmpty', openJobs };
    if (row.paused) await holdLanesBack(session, await laneIdsOf(session, queue), 'queuePaused', false);
    await session.run(deleteOne, [queue.namespace, queue.name]);
    return { kind: 'deleted' };
  });
}

export function queueStore(database: Database): QueueStore {
  return {
    read: (queue) => readQueue(database, queue),
    list: (namespace, afterName, limit) => listQueues(database, namespace, afterName, limit),
    create: (queue) => createQueue(database, queue),
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
