/** Ranks for jobs with fairness keys: given out key by key, under a lock, in the transaction that makes the jobs ready. */
import { fairStep, virtualTime } from '../../domain/fair-rank.ts';
import { stateCodes } from '../../domain/job-state.ts';
import { rankOf, startOf } from '../../domain/rank.ts';
import type { Row, Session } from '../database.ts';
import { inputTable } from '../input-table.ts';
import { claimedApart } from './held-lanes.ts';
import { queueKey } from './queues.ts';

/** A job that is about to be ready. */
export interface FairJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly fairnessKey: string;
  readonly priority: number;
  /** That caps its rank. */
  readonly expireTimeUs?: number | null | undefined;
}

const firstReady = (lane: string, rest: string) =>
  `SELECT rank FROM job_runs r WHERE r.lane_id = ${lane} AND r.state = ${stateCodes.READY} ${rest} ORDER BY r.rank LIMIT 1`;

// Locked here, so that the statement that adds to them sees the jobs of whoever held them. Sorted, so that two flushes that
// share keys wait for each other in one direction only. Looked up one by one: a join would go over all keys of the queue for
// each of them, as long as the table is thought to be small.
const lockMany = {
  name: 'lock_fairness_keys',
  text: `
WITH keys AS MATERIALIZED (
  SELECT l.namespace, l.queue, i.fairness_key FROM ${inputTable({ lane_id: 'int', fairness_key: 'text' }, 'i')}
  CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = i.lane_id OFFSET 0) AS l
  ORDER BY l.namespace, l.queue, i.fairness_key
)
SELECT k.fairness_key FROM keys i CROSS JOIN LATERAL (
  SELECT k.fairness_key FROM fairness_keys k
  WHERE k.namespace = i.namespace AND k.queue = i.queue AND k.fairness_key = i.fairness_key OFFSET 0 FOR NO KEY UPDATE
) AS k`,
};

/** Lanes of a queue that are looked at for the turn of a job whose own lane has none waiting. */
const MOST_LANES = 100;

// Of lanes in which jobs take turns. The highest: one that no worker serves stays behind.
const highestHead = `
  SELECT max(o.rank) FROM (
    SELECT lane_id FROM lanes m WHERE ${queueKey('m.')} = l.namespace || '/' || l.queue AND m.held_back & ~${claimedApart}::smallint = 0
    LIMIT ${MOST_LANES}
  ) AS m
  CROSS JOIN LATERAL (
    SELECT r.rank, r.job_id FROM job_runs r WHERE r.lane_id = m.lane_id AND r.state = ${stateCodes.READY} ORDER BY r.rank LIMIT 1
  ) AS o
  CROSS JOIN LATERAL (SELECT fairness_key FROM jobs WHERE jobs.job_id = o.job_id OFFSET 0) AS j
  WHERE j.fairness_key IS NOT NULL`;

// From the floor on: below it are mostly dead entries, which are dear under an old snapshot.
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
SELECT h.*, CASE WHEN h.head IS NULL AND NOT h.has_ahead THEN (${highestHead}) END AS beside,
       l.namespace, l.queue, q.fairness_weights, now.us AS now
FROM looked h CROSS JOIN now
CROSS JOIN LATERAL (SELECT namespace, queue FROM lanes WHERE lanes.lane_id = h.lane_id OFFSET 0) AS l
LEFT JOIN LATERAL (SELECT fairness_weights FROM queues WHERE queues.namespace = l.namespace AND queues.name = l.queue OFFSET 0) AS q ON true`,
};

// With its priority undone: the first job may be one that was moved ahead, and whom nobody is to follow.
const readFirst = {
  name: 'read_first_of_fair_lanes',
  text: `
SELECT i.lane_id, f.rank, j.priority FROM unnest($1::int[]) AS i (lane_id)
CROSS JOIN LATERAL (
  SELECT r.rank, r.job_id FROM job_runs r WHERE r.lane_id = i.lane_id AND r.state = ${stateCodes.READY} ORDER BY r.rank LIMIT 1
) AS f
CROSS JOIN LATERAL (SELECT priority FROM jobs WHERE jobs.job_id = f.job_id OFFSET 0) AS j`,
};

const keyColumns = {
  namespace: 'text',
  queue: 'text',
  fairness_key: 'text',
  from_rank: 'bigint',
  added: 'bigint',
  last_job_id: 'uuid',
};

// A key goes on behind its last job while that one waits.
const addMany = {
  name: 'add_fair_ranks',
  text: `
INSERT INTO fairness_keys AS k (namespace, queue, fairness_key, last_rank, last_job_id, added)
SELECT namespace, queue, fairness_key, from_rank + added, last_job_id, added
FROM ${inputTable(keyColumns, 'i')} ORDER BY namespace, queue, fairness_key
ON CONFLICT (namespace, queue, fairness_key) DO UPDATE
SET last_rank = excluded.added + greatest(excluded.last_rank - excluded.added, CASE
      WHEN (SELECT r.state FROM job_runs r WHERE r.job_id = k.last_job_id) = ${stateCodes.READY} THEN k.last_rank END),
    last_job_id = excluded.last_job_id, added = excluded.added
RETURNING namespace, queue, fairness_key, last_rank - added AS from_rank`,
};

/** Jobs of one key, in their order. */
interface Group {
  readonly namespace: string;
  readonly queue: string;
  readonly fairnessKey: string;
  readonly step: number;
  readonly jobs: FairJob[];
  fromRank: number;
}

/** Lanes whose floors are remembered. */
const MOST_FLOORS = 10_000;

export class FairRanks {
  readonly #floors = new Map<number, number>();

  /** Ranks by job id. Within a transaction: the keys stay locked until its end. */
  async rank(session: Session, jobs: readonly FairJob[]): Promise<Map<string, number>> {
    if (jobs.length === 0) return new Map();
    const keys = [...new Map(jobs.map((job) => [`${job.laneId}/${job.fairnessKey}`, job])).values()];
    await session.run(lockMany, [keys.map((job) => job.laneId), keys.map((job) => job.fairnessKey)]);
    const laneIds = [...new Set(jobs.map((job) => job.laneId))];
    await this.#findFloors(session, laneIds);
    const rows = await session.run(readLanes, [laneIds, laneIds.map((id) => this.#floors.get(id))]);
    const lanes = new Map(rows.map((row) => [row.lane_id as number, row]));
    const groups = groupsOf(jobs, lanes, (row) => this.#virtualTime(row));
    const added = await addRanks(session, groups);
    const ranks = new Map<string, number>();
    for (const group of groups) {
      const from = added.get(nameOf(group.namespace, group.queue, group.fairnessKey)) ?? group.fromRank;
      group.jobs.forEach((job, i) => {
        ranks.set(job.jobId, rankOf(from + (i + 1) * group.step, job.priority, job.expireTimeUs));
      });
    }
    return ranks;
  }

  /** Of lanes that this replica has not looked at yet: what waits there was stored through another one, or before it began. */
  async #findFloors(session: Session, laneIds: readonly number[]): Promise<void> {
    const unknown = laneIds.filter((laneId) => !this.#floors.has(laneId));
    if (unknown.length === 0) return;
    for (const row of await session.run(readFirst, [unknown]))
      this.#floors.set(row.lane_id, startOf(row.rank, row.priority));
  }

  #virtualTime(row: Row): number {
    const lane = {
      headUs: row.head ?? undefined,
      floorUs: row.floor,
      hasAhead: row.has_ahead,
      besideUs: row.beside ?? undefined,
    };
    const time = virtualTime(lane, row.now);
    if (this.#floors.size >= MOST_FLOORS) this.#floors.clear();
    this.#floors.set(row.lane_id, time);
    return time;
  }
}

function nameOf(namespace: string, queue: string, fairnessKey: string): string {
  return `${namespace}/${queue}/${fairnessKey}`;
}

function groupsOf(jobs: readonly FairJob[], lanes: ReadonlyMap<number, Row>, timeOf: (row: Row) => number): Group[] {
  const times = new Map(Array.from(lanes, ([laneId, row]) => [laneId, timeOf(row)]));
  const groups = new Map<string, Group>();
  for (const job of jobs) {
    const { namespace, queue, fairness_weights: weights } = lanes.get(job.laneId) as Row;
    const time = times.get(job.laneId) as number;
    const name = nameOf(namespace, queue, job.fairnessKey);
    const group = groups.get(name);
    if (group) {
      group.jobs.push(job);
      group.fromRank = Math.min(group.fromRank, time);
    } else {
      const step = fairStep(weights?.[job.fairnessKey] ?? 1);
      groups.set(name, { namespace, queue, fairnessKey: job.fairnessKey, step, jobs: [job], fromRank: time });
    }
  }
  return [...groups.values()];
}

async function addRanks(session: Session, groups: readonly Group[]): Promise<Map<string, number>> {
  const rows = await session.run(addMany, [
    groups.map((group) => group.namespace),
    groups.map((group) => group.queue),
    groups.map((group) => group.fairnessKey),
    groups.map((group) => group.fromRank),
    groups.map((group) => group.step * group.jobs.length),
    groups.map((group) => group.jobs.at(-1)?.jobId),
  ]);
  return new Map(rows.map((row) => [nameOf(row.namespace, row.queue, row.fairness_key), row.from_rank]));
}
