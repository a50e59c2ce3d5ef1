/**
 * Deferred jobs, which wait for capacity of their limit key: found, and moved back to the ready jobs of their lanes.
 */

import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { LimitedKey, Requeued } from '../../engine/ports/limits.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { addCounts } from './lane-counts.ts';
import { keyUse, keyUseOf, keyUseRowType, mostOfKey } from './limit-use.ts';

const { READY } = stateCodes;

// Written as a range: an equality also matches the index of all ready jobs, and the planner would read the whole of it.
const isReady = (run: string) => `${run}.state BETWEEN ${READY} AND ${READY}`;
const isMarked = (run: string) => `${run}.limit_mark IS NOT NULL AND ${isReady(run)}`;

// The last waiting job of the key names its definition, and says whether any wait at the limit: deferred jobs are
// behind the others.
const readKeys = {
  name: 'read_limited_keys',
  text: `
SELECT i.limit_id, l.at_limit, d.limits, ${keyUse('i.limit_id', mostOfKey('d.limits'))}, (SELECT muster_now()) AS now
FROM unnest($1::uuid[]) AS i (limit_id)
CROSS JOIN LATERAL (SELECT lane_id FROM job_runs r WHERE r.limit_id = i.limit_id AND ${isMarked('r')} ORDER BY r.state DESC, r.rank DESC LIMIT 1) AS w
CROSS JOIN LATERAL (SELECT namespace, definition, at_limit FROM lanes WHERE lanes.lane_id = w.lane_id OFFSET 0) AS l
LEFT JOIN LATERAL (
  SELECT limits FROM definition_limits d WHERE d.namespace = l.namespace AND d.definition = l.definition OFFSET 0
) AS d ON true`,
  row: {
    limit_id: 'uuid',
    at_limit: 'bool',
    limits: 'text?',
    ...keyUseRowType,
    now: 'timestamptz',
  },
} satisfies Statement;

const sameLane = ['namespace', 'queue', 'definition', 'definition_version', 'demands', 'suspect', 'cleanup']
  .map((column) => `open.${column} = a.${column}`)
  .join(' AND ');

// The first jobs of each key, up to its capacity, belong into the open lanes. Most of them may be there already.
const requeueMany = {
  name: 'reopen_deferred_jobs',
  text: `
WITH picked AS MATERIALIZED (
  SELECT w.job_id, w.lane_id, b.lane_id AS to_lane_id
  FROM ${inputTable({ limit_id: 'uuid', headroom: 'int' }, 'i')} CROSS JOIN LATERAL (
    SELECT r.job_id, r.lane_id FROM job_runs r WHERE r.limit_id = i.limit_id AND ${isMarked('r')} ORDER BY r.state, r.rank LIMIT i.headroom
  ) AS w
  CROSS JOIN LATERAL (SELECT * FROM lanes WHERE lanes.lane_id = w.lane_id OFFSET 0) AS a
  CROSS JOIN LATERAL (SELECT lane_id FROM lanes AS open WHERE ${sameLane} AND NOT open.at_limit OFFSET 0) AS b
  WHERE a.at_limit
),
locked AS MATERIALIZED (
  SELECT r.job_id, p.lane_id, p.to_lane_id FROM picked p JOIN job_runs r ON ${sameKey('r.job_id', 'p.job_id')}
  WHERE r.lane_id IS NOT DISTINCT FROM p.lane_id AND ${isReady('r')} ORDER BY p.job_id FOR NO KEY UPDATE OF r
),
moved AS (
  UPDATE job_runs r SET lane_id = l.to_lane_id FROM locked l WHERE ${sameKey('r.job_id', 'l.job_id')}
  RETURNING r.rank, l.lane_id, l.to_lane_id
),
${addCounts(`
    SELECT lane_id, ${READY} AS state, sum(sign) AS jobs FROM (
      SELECT lane_id, -1 AS sign FROM moved UNION ALL SELECT to_lane_id, 1 FROM moved
    ) AS moves GROUP BY lane_id`)}
SELECT to_lane_id AS lane_id, min(rank) AS rank, count(*)::int AS jobs FROM moved GROUP BY to_lane_id`,
  row: { lane_id: 'int4', rank: 'int8', jobs: 'int4' },
} satisfies Statement;

export async function readDeferredKeys(session: Session, limitIds: readonly string[]): Promise<LimitedKey[]> {
  const rows = await session.run(readKeys, [limitIds]);
  return rows
    .filter((row) => row.at_limit)
    .map((row) => ({
      limitId: row.limit_id,
      limits: row.limits === null ? undefined : JSON.parse(row.limits),
      ...keyUseOf(row),
      nowUs: row.now,
    }));
}

export async function requeueFirst(
  session: Session,
  keys: readonly { readonly limitId: string; readonly jobs: number }[],
): Promise<Requeued['lanes']> {
  const moved = await session.run(requeueMany, [keys.map((key) => key.limitId), keys.map((key) => key.jobs)]);
  return moved.map((row) => ({ laneId: row.lane_id, rank: row.rank, jobs: row.jobs }));
}

// Hops from key to key with marked ready jobs, deferred or not. The requeue finds out which of them are deferred.
const readWaiting = {
  name: 'read_deferred_keys',
  text: `
WITH RECURSIVE waiting AS (
  (SELECT limit_id FROM job_runs WHERE limit_id > $1 AND ${isMarked('job_runs')} ORDER BY limit_id LIMIT 1)
  UNION ALL
  SELECT n.limit_id FROM waiting w CROSS JOIN LATERAL (
    SELECT limit_id FROM job_runs WHERE limit_id > w.limit_id AND ${isMarked('job_runs')} ORDER BY limit_id LIMIT 1
  ) AS n
)
SELECT limit_id FROM waiting LIMIT $2`,
  row: { limit_id: 'uuid' },
} satisfies Statement;

export async function readWaitingKeys(session: Session, afterLimitId: string, limit: number): Promise<string[]> {
  return (await session.run(readWaiting, [afterLimitId, limit])).map((row) => row.limit_id);
}
