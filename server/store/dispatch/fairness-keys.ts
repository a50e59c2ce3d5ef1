/** Fairness keys, locked and written with the jobs that become ready, and the lanes in which their jobs take turns. */
import type { FairnessKey, LastOfKey, WaitingKey } from '../../domain/dispatch/fair-turns.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { FairLaneFacts, FairLaneKey, FirstOfLane } from '../../engine/ports/dispatch.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';
import { queueKey } from '../queues/queues.ts';
import { claimedSingly } from './gated-lanes.ts';

const firstReady = (lane: string, rest: string) =>
  `SELECT rank FROM job_runs r WHERE r.lane_id = ${lane} AND r.state = ${stateCodes.READY} ${rest} ORDER BY r.rank LIMIT 1`;

const keyInput = { namespace: 'text', queue: 'text', fairness_key: 'text' };

/** Locks that the keys of a queue share. A lock on each key's row is a write, which cost more than all other work. */
const LOCKS_PER_QUEUE = 64;
const LOCK_SEED = 7302421;

// Locked here, so that the statement that reads the keys sees the jobs of the previous holder. Sorted, so that two
// flushes with shared locks wait for each other in one direction only.
const lockMany = {
  name: 'lock_fairness_keys',
  text: `
SELECT pg_advisory_xact_lock(lock) FROM (
  SELECT DISTINCT (hashtextextended(namespace || '/' || queue, ${LOCK_SEED}) & ~${LOCKS_PER_QUEUE - 1}::bigint)
                  | (hashtext(fairness_key) & ${LOCKS_PER_QUEUE - 1}) AS lock
  FROM ${inputTable(keyInput, 'i')}
  ORDER BY lock OFFSET 0
) AS locks`,
  row: { pg_advisory_xact_lock: 'void' },
} satisfies Statement;

/** Max lanes of a queue scanned for the turn of a job whose own lane has none waiting. */
const MAX_LANES = 100;

// Reads only lanes in which jobs take turns. The highest rank: a lane that no worker serves stays behind.
const highestHead = `
  SELECT max(o.rank) FROM (
    SELECT lane_id FROM lanes m WHERE ${queueKey('m.')} = l.namespace || '/' || l.queue AND m.gates & ~${claimedSingly}::smallint = 0
    LIMIT ${MAX_LANES}
  ) AS m
  CROSS JOIN LATERAL (
    SELECT r.rank, r.job_id FROM job_runs r WHERE r.lane_id = m.lane_id AND r.state = ${stateCodes.READY} ORDER BY r.rank LIMIT 1
  ) AS o
  CROSS JOIN LATERAL (SELECT fairness_key FROM jobs WHERE jobs.job_id = o.job_id OFFSET 0) AS j
  WHERE j.fairness_key IS NOT NULL`;

// From the floor on: below it are mostly dead entries, which are costly under an old snapshot.
const readLanes = {
  name: 'read_fair_lanes',
  text: `
WITH now AS MATERIALIZED (SELECT (extract(epoch FROM muster_now()) * 1000000)::bigint AS us),
i AS MATERIALIZED (
  SELECT i.lane_id, least(coalesce(i.floor, now.us), now.us) AS floor FROM now, ${inputTable({ lane_id: 'int', floor: 'bigint' }, 'i')}
),
heads AS MATERIALIZED (SELECT i.*, (${firstReady('i.lane_id', 'AND r.rank >= i.floor')}) AS head FROM i),
looked AS MATERIALIZED (
  SELECT h.*, h.head IS NULL AND (${firstReady('h.lane_id', '')}) IS NOT NULL AS has_ahead FROM heads h
)
SELECT h.*, CASE WHEN h.head IS NULL AND NOT h.has_ahead THEN (${highestHead}) END AS others,
       l.namespace, l.queue, q.fairness_weights, now.us AS now
FROM looked h CROSS JOIN now
CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = h.lane_id OFFSET 0) AS l
LEFT JOIN LATERAL (SELECT fairness_weights FROM queues WHERE queues.namespace = l.namespace AND queues.name = l.queue OFFSET 0) AS q ON true`,
  row: {
    lane_id: 'int4',
    floor: 'int8',
    head: 'int8?',
    has_ahead: 'bool',
    others: 'int8?',
    namespace: 'text',
    queue: 'text',
    fairness_weights: 'jsonb?',
    now: 'int8',
  },
} satisfies Statement;

// With the priority subtracted: the first job may be one that was moved ahead, and no job is to follow it there.
const readFirst = {
  name: 'read_first_of_fair_lanes',
  text: `
SELECT i.lane_id, l.namespace, l.queue, f.rank, j.priority FROM unnest($1::int[]) AS i (lane_id)
CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = i.lane_id OFFSET 0) AS l
LEFT JOIN LATERAL (
  SELECT r.rank, r.job_id FROM job_runs r WHERE r.lane_id = i.lane_id AND r.state = ${stateCodes.READY} ORDER BY r.rank LIMIT 1
) AS f ON true
LEFT JOIN LATERAL (SELECT priority FROM jobs WHERE jobs.job_id = f.job_id OFFSET 0) AS j ON true`,
  row: { lane_id: 'int4', namespace: 'text', queue: 'text', rank: 'int8?', priority: 'int2?' },
} satisfies Statement;

// Keys whose last job waits: their new jobs follow it.
const readKeys = {
  name: 'read_fairness_keys',
  text: `
SELECT i.namespace, i.queue, i.fairness_key, k.last_rank
FROM ${inputTable(keyInput, 'i')}
CROSS JOIN LATERAL (
  SELECT last_rank, last_job_id FROM fairness_keys k
  WHERE k.namespace = i.namespace AND k.queue = i.queue AND k.fairness_key = i.fairness_key OFFSET 0
) AS k
WHERE (SELECT r.state FROM job_runs r WHERE r.job_id = k.last_job_id) = ${stateCodes.READY}`,
  row: { namespace: 'text', queue: 'text', fairness_key: 'text', last_rank: 'int8' },
} satisfies Statement;

const keyColumns = {
  namespace: 'text',
  queue: 'text',
  fairness_key: 'text',
  last_rank: 'bigint',
  last_job_id: 'uuid',
  added: 'bigint',
};

const writeKeys = {
  name: 'write_fairness_keys',
  text: `
INSERT INTO fairness_keys (namespace, queue, fairness_key, last_rank, last_job_id, added)
SELECT * FROM ${inputTable(keyColumns, 'i')}
ON CONFLICT (namespace, queue, fairness_key) DO UPDATE
SET last_rank = excluded.last_rank, last_job_id = excluded.last_job_id, added = excluded.added`,
};

const keyParameters = (keys: readonly FairnessKey[]) => [
  keys.map((key) => key.namespace),
  keys.map((key) => key.queue),
  keys.map((key) => key.fairnessKey),
];

export async function lockFairnessKeys(session: Session, keys: readonly FairnessKey[]): Promise<void> {
  await session.run(lockMany, keyParameters(keys));
}

export async function readWaitingFairnessKeys(session: Session, keys: readonly FairnessKey[]): Promise<WaitingKey[]> {
  const rows = await session.run(readKeys, keyParameters(keys));
  return rows.map(({ namespace, queue, fairness_key, last_rank }) => ({
    namespace,
    queue,
    fairnessKey: fairness_key,
    lastRank: last_rank,
  }));
}

export async function readFairLanes(session: Session, lanes: readonly FairLaneKey[]): Promise<FairLaneFacts[]> {
  const rows = await session.run(readLanes, [lanes.map((lane) => lane.laneId), lanes.map((lane) => lane.floorUs)]);
  return rows.map((row) => ({
    laneId: row.lane_id,
    namespace: row.namespace,
    queue: row.queue,
    headUs: row.head ?? undefined,
    floorUs: row.floor,
    hasAhead: row.has_ahead,
    othersUs: row.others ?? undefined,
    weights: (row.fairness_weights ?? undefined) as Readonly<Record<string, number>> | undefined,
    nowUs: row.now,
  }));
}

export async function readFirstOfFairLanes(session: Session, laneIds: readonly number[]): Promise<FirstOfLane[]> {
  const rows = await session.run(readFirst, [laneIds]);
  return rows.map(({ lane_id, namespace, queue, rank, priority }) => ({
    laneId: lane_id,
    namespace,
    queue,
    first: rank === null || priority === null ? undefined : { rank, priority },
  }));
}

export function writeFairnessKeys(session: Session, keys: readonly LastOfKey[]): void {
  void session.run(writeKeys, [
    ...keyParameters(keys),
    keys.map((key) => key.lastRank),
    keys.map((key) => key.lastJobId),
    keys.map((key) => key.addedUs),
  ]);
}
