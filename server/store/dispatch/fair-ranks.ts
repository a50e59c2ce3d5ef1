/**
 * Ranks for jobs with fairness keys: assigned key by key, under a lock, in the transaction that makes the jobs ready.
 */
import { fairStep, virtualTime } from '../../domain/dispatch/fair-rank.ts';
import { rankOf, startOf } from '../../domain/dispatch/rank.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { queueKey } from '../queues/queues.ts';
import { claimedSingly } from './gated-lanes.ts';

/** A job that is about to become ready. */
export interface FairJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly fairnessKey: string;
  readonly priority: number;
  /** Caps the rank. */
  readonly expireTimeUs?: number | null | undefined;
}

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

type FairLane = RowOf<typeof readLanes>;

/** Jobs of one key, in their order. */
interface Group {
  readonly namespace: string;
  readonly queue: string;
  readonly fairnessKey: string;
  readonly step: number;
  readonly jobs: FairJob[];
  fromRank: number;
}

/** Cached facts of a lane. Its queue never changes. */
interface KnownLane {
  readonly namespace: string;
  readonly queue: string;
  /** Undefined: no job of the lane has waited yet. */
  readonly floorUs: number | undefined;
}

/** Max lanes in the cache. */
const MAX_LANES_KNOWN = 10_000;

export class FairRanks {
  #known = new Map<number, KnownLane>();

  /** Ranks by job id. Within a transaction: the keys stay locked until its end. */
  async rank(session: Session, jobs: readonly FairJob[]): Promise<Map<string, number>> {
    if (jobs.length === 0) return new Map();
    const laneIds = [...new Set(jobs.map((job) => job.laneId))];
    const unknown = laneIds.filter((laneId) => !this.#known.has(laneId));
    // Awaited only where needed: statements sent within one turn go together.
    if (unknown.length > 0) await this.#learn(session, unknown);
    const known = new Map(laneIds.map((laneId) => [laneId, this.#known.get(laneId) as KnownLane]));
    const named = keysOf(jobs, known);
    const [, waiting, rows] = await Promise.all([
      session.run(lockMany, named),
      session.run(readKeys, named),
      session.run(readLanes, [laneIds, laneIds.map((laneId) => known.get(laneId)?.floorUs)]),
    ]);
    const lanes = new Map(rows.map((row) => [row.lane_id, row]));
    const groups = groupsOf(jobs, lanes, (row) => this.#virtualTime(row));
    const lastRanks = new Map(
      waiting.map((row) => [nameOf(row.namespace, row.queue, row.fairness_key), row.last_rank]),
    );
    const ranks = new Map<string, number>();
    for (const group of groups) {
      group.fromRank = Math.max(
        group.fromRank,
        lastRanks.get(nameOf(group.namespace, group.queue, group.fairnessKey)) ?? 0,
      );
      group.jobs.forEach((job, i) => {
        ranks.set(job.jobId, rankOf(group.fromRank + (i + 1) * group.step, job.priority, job.expireTimeUs));
      });
    }
    writeRanks(session, groups);
    return ranks;
  }

  /** Loads lanes that this replica has not read: their waiting jobs came by another replica, or before it started. */
  async #learn(session: Session, laneIds: readonly number[]): Promise<void> {
    const rows = await session.run(readFirst, [laneIds]);
    if (this.#known.size + rows.length > MAX_LANES_KNOWN) this.#known = new Map();
    for (const { lane_id, namespace, queue, rank, priority } of rows)
      this.#known.set(lane_id, {
        namespace,
        queue,
        floorUs: rank === null || priority === null ? undefined : startOf(rank, priority),
      });
  }

  #virtualTime(row: FairLane): number {
    const lane = {
      headUs: row.head ?? undefined,
      floorUs: row.floor,
      hasAhead: row.has_ahead,
      othersUs: row.others ?? undefined,
    };
    const floorUs = virtualTime(lane, row.now);
    this.#known.set(row.lane_id, { namespace: row.namespace, queue: row.queue, floorUs });
    return floorUs;
  }
}

/** Namespaces, queues and keys, each key once per lane. */
function keysOf(jobs: readonly FairJob[], known: ReadonlyMap<number, KnownLane>): string[][] {
  const keys = [...new Map(jobs.map((job) => [`${job.laneId}/${job.fairnessKey}`, job])).values()];
  const lanes = keys.map((job) => known.get(job.laneId) as KnownLane);
  return [lanes.map((lane) => lane.namespace), lanes.map((lane) => lane.queue), keys.map((job) => job.fairnessKey)];
}

function nameOf(namespace: string, queue: string, fairnessKey: string): string {
  return `${namespace}/${queue}/${fairnessKey}`;
}

function groupsOf(
  jobs: readonly FairJob[],
  lanes: ReadonlyMap<number, FairLane>,
  timeOf: (row: FairLane) => number,
): Group[] {
  const times = new Map(Array.from(lanes, ([laneId, row]) => [laneId, timeOf(row)]));
  const byQueue = new Map<string, Map<string, Group>>();
  for (const job of jobs) {
    const { namespace, queue, fairness_weights } = lanes.get(job.laneId) as FairLane;
    const weights = fairness_weights as Readonly<Record<string, number>> | null;
    const time = times.get(job.laneId) as number;
    const { fairnessKey } = job;
    const queueKey = `${namespace}/${queue}`;
    const groups = byQueue.get(queueKey) ?? new Map<string, Group>();
    byQueue.set(queueKey, groups);
    const group = groups.get(fairnessKey);
    if (group) {
      group.jobs.push(job);
      group.fromRank = Math.min(group.fromRank, time);
    } else {
      const step = fairStep(weights?.[fairnessKey] ?? 1);
      groups.set(fairnessKey, { namespace, queue, fairnessKey, step, jobs: [job], fromRank: time });
    }
  }
  return [...byQueue.values()].flatMap((groups) => [...groups.values()]);
}

/** Sent with the statement that stores the jobs; not awaited. */
function writeRanks(session: Session, groups: readonly Group[]): void {
  const added = groups.map((group) => group.step * group.jobs.length);
  void session.run(writeKeys, [
    groups.map((group) => group.namespace),
    groups.map((group) => group.queue),
    groups.map((group) => group.fairnessKey),
    groups.map((group, i) => group.fromRank + (added[i] as number)),
    groups.map((group) => group.jobs.at(-1)?.jobId),
    added,
  ]);
}
