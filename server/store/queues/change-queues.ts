/** Changes of the rows of queues, and the store's port for queues. */
import type { QueueName, QueueSettings, QueueStore, StoredQueue } from '../../engine/ports/queues.ts';
import { columnsOf } from '../base/columns.ts';
import { FOLD_ROWS, foldCounts } from '../dispatch/lane-counts.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import { readBacklog, readBoundedQueues } from './backlogs.ts';
import {
  findDeletedQueues,
  findQueue,
  queueKey,
  queueOf,
  queueRowType,
  readCounts,
  readPage,
  reviveQueues,
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
  text: `SELECT ${columnsOf(queueRowType)} FROM queues WHERE namespace = $1 AND name = $2 AND delete_time IS NULL FOR UPDATE`,
  row: queueRowType,
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

async function insert(session: Session, { namespace, name }: QueueName): Promise<boolean> {
  return (await session.run(createOne, [namespace, name])).length > 0;
}

async function lock(session: Session, { namespace, name }: QueueName): Promise<StoredQueue | undefined> {
  return (await session.run(lockOne, [namespace, name])).map(queueOf)[0];
}

async function writeSettings(
  session: Session,
  { namespace, name }: QueueName,
  settings: QueueSettings,
  isNew: boolean,
): Promise<void> {
  const { description, maxConcurrency = null, rateLimit, fairnessWeights, maxBacklog, maxBacklogAgeMs } = settings;
  const weights = Object.keys(fairnessWeights).length > 0 ? JSON.stringify(fairnessWeights) : null;
  const rate = rateLimit ? JSON.stringify(rateLimit) : null;
  await session.run(changeOne, [
    namespace,
    name,
    description,
    maxConcurrency,
    rate,
    weights,
    maxBacklog,
    maxBacklogAgeMs,
    isNew ? 0 : 1,
  ]);
}

async function readLanes(session: Session, { namespace, name }: QueueName): Promise<number[]> {
  return (await session.run(readLaneIds, [namespace, name])).map((row) => row.lane_id);
}

export function queueStore(database: Database): QueueStore {
  return {
    find: (queue) => findQueue(database, queue),
    readPage: (namespace, afterName, limit) => readPage(database, namespace, afterName, limit),
    readCounts: (namespace, names) => readCounts(database, namespace, names),
    findDeleted: (namespace, afterName, name) => findDeletedQueues(database, namespace, afterName, name),
    revive: (namespace, names) => reviveQueues(database, namespace, names),
    insert: (queue) => insert(database, queue),
    lock: (queue) => lock(database, queue),
    writeSettings: (queue, settings, isNew) => writeSettings(database, queue, settings, isNew),
    async markPaused({ namespace, name }, reason) {
      await database.run(pauseOne, [namespace, name, reason]);
    },
    async markResumed({ namespace, name }) {
      await database.run(resumeOne, [namespace, name]);
    },
    async markDeleted({ namespace, name }) {
      await database.run(deleteOne, [namespace, name]);
    },
    readLanes: (queue) => readLanes(database, queue),
    readBounded: (after, limit) => readBoundedQueues(database, after, limit),
    readBacklog: (queue, withAge) => readBacklog(database, queue, withAge),
    foldCounts: async () => (await foldCounts(database)) === FOLD_ROWS,
  };
}
