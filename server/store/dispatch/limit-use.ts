/** Use of limits: held jobs, counted from the jobs themselves, and the units of rates. */

import type { KeyUse, LaneLimits, LimitUse, TakenUnits } from '../../domain/dispatch/limit-use.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { LockedLane, PassedGates } from '../../engine/ports/dispatch.ts';
import type { LaneUnderLimits } from '../../engine/ports/limits.ts';
import { inputTable } from '../base/input-table.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf, RowType, RowWith } from '../driver/row-types.ts';
import { queueKey } from '../queues/queues.ts';
import { gates, passedBy } from './gated-lanes.ts';

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

// Everywhere the queue's lock before the definition's, and both before the lane's: changes of limits wait for lanes.
const limitsText = (lock: string) => `
WITH q AS MATERIALIZED (
  SELECT max_concurrency, rate_limit FROM queues
  WHERE namespace = $1 AND name = $2 AND (max_concurrency IS NOT NULL OR rate_limit IS NOT NULL) ${lock}
),
d AS MATERIALIZED (
  SELECT limits FROM definition_limits
  WHERE namespace = $1 AND definition = $3 AND (SELECT count(*) FROM q) >= 0 ${lock}
)
SELECT q.max_concurrency, q.rate_limit, d.limits FROM (VALUES (1)) AS one (one) LEFT JOIN q ON true LEFT JOIN d ON true`;

const limitsRowType = { max_concurrency: 'int4?', rate_limit: 'text?', limits: 'text?' } satisfies RowType;

const lockMany = {
  name: 'lock_limits',
  text: limitsText('FOR NO KEY UPDATE'),
  row: limitsRowType,
} satisfies Statement;

export async function lockLimits(session: Session, lane: LaneUnderLimits): Promise<LaneLimits> {
  const [row] = await session.run(lockMany, [lane.namespace, lane.queue, lane.definition]);
  return limitsOf(row as RowOf<typeof lockMany>);
}

// Sessions and the lane are locked as by any claim, and for the same reasons, but after the limits: a change of a limit
// holds the limit's row while it waits for the lanes. Here nothing waits.
const lockLane = {
  name: 'lock_limited_lane',
  text: `
WITH open_sessions AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
  ORDER BY session_id FOR KEY SHARE SKIP LOCKED
),
open_lane AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = $2 AND gates & ~$3::smallint = 0 FOR KEY SHARE SKIP LOCKED
)
SELECT session_id, NULL::int AS lane_id FROM open_sessions UNION ALL SELECT NULL, lane_id FROM open_lane`,
  row: { session_id: 'uuid?', lane_id: 'int4?' },
} satisfies Statement;

export async function lockLimitedLane(
  session: Session,
  laneId: number,
  sessionIds: readonly string[],
  passed: PassedGates,
): Promise<LockedLane> {
  const rows = await session.run(lockLane, [[...new Set(sessionIds)], laneId, gates.limited | passedBy(passed)]);
  return {
    openSessions: new Set(rows.flatMap((row) => row.session_id ?? [])),
    isOpen: rows.some((row) => row.lane_id !== null),
  };
}

function limitsOf(row: RowWith<typeof limitsRowType>): LaneLimits {
  const hasQueue = row.max_concurrency !== null || row.rate_limit !== null;
  return {
    queue: hasQueue
      ? { maxConcurrency: row.max_concurrency ?? undefined, rateLimit: parsed(row.rate_limit) }
      : undefined,
    definition: parsed(row.limits),
  };
}

function parsed(text: string | null) {
  return text === null ? undefined : JSON.parse(text);
}

const held = (lanes: string) => `(
  SELECT coalesce(sum(jobs), 0)::int FROM (
    SELECT k.jobs FROM ${lanes} a
    CROSS JOIN LATERAL (SELECT jobs FROM lane_counts k WHERE k.lane_id = a.lane_id AND k.state = ${ASSIGNED} OFFSET 0) AS k
    UNION ALL SELECT r.jobs FROM recent r WHERE r.lane_id IN (SELECT lane_id FROM ${lanes})
  ) AS parts
)`;

// One statement, so that both tables of counts are read at the same moment. It runs after the lock, so that it includes
// all earlier assignments.
const readUse = {
  name: 'read_limit_use',
  text: `
WITH l AS MATERIALIZED (${limitsText('')}),
counted AS MATERIALIZED (
  SELECT max_concurrency IS NOT NULL AS queue, coalesce(limits::jsonb ? 'maxConcurrency', false) AS definition FROM l
),
queue_lanes AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE (SELECT queue FROM counted) AND ${queueKey('lanes.')} = $1 || '/' || $2 AND cleanup IS NOT TRUE
),
definition_lanes AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE (SELECT definition FROM counted) AND namespace = $1 AND definition = $3 AND cleanup IS NOT TRUE
),
recent AS MATERIALIZED (SELECT lane_id, jobs FROM lane_count_changes WHERE (SELECT queue OR definition FROM counted) AND state = ${ASSIGNED})
SELECT ${held('queue_lanes')} AS queue_held, ${held('definition_lanes')} AS definition_held,
       (SELECT full_time FROM rate_buckets WHERE bucket_id = $4::uuid) AS queue_full_time,
       (SELECT full_time FROM rate_buckets WHERE bucket_id = $5::uuid) AS definition_full_time,
       (SELECT muster_now()) AS now, l.*
FROM l`,
  row: {
    queue_held: 'int4',
    definition_held: 'int4',
    queue_full_time: 'timestamptz?',
    definition_full_time: 'timestamptz?',
    now: 'timestamptz',
    ...limitsRowType,
  },
} satisfies Statement;

export async function readLimitUse(
  session: Session,
  lane: Omit<LaneUnderLimits, 'laneId' | 'ownUs'>,
): Promise<LimitUse> {
  const [row] = (await session.run(readUse, [
    lane.namespace,
    lane.queue,
    lane.definition,
    lane.queueBucketId,
    lane.definitionBucketId,
  ])) as [RowOf<typeof readUse>];
  const limits = limitsOf(row);
  const { queue, definition } = limits;
  return {
    limits,
    queue: queue && { ...queue, held: row.queue_held, fullTimeUs: row.queue_full_time },
    definition: definition && {
      maxConcurrency: definition.maxConcurrency,
      rateLimit: definition.rateLimit,
      held: row.definition_held,
      fullTimeUs: row.definition_full_time,
    },
    nowUs: row.now,
  };
}

/** SQL of the max concurrency of a key, from the limits of its definition; 0: no such limit. */
export function mostOfKey(limits: string): string {
  return `coalesce((${limits}::jsonb #>> '{keyLimit,maxConcurrency}')::int, 0)`;
}

/** SQL that is true if keys have a rate, from the limits of their definition. */
export function hasKeyRate(limits: string): string {
  return `${limits}::jsonb #> '{keyLimit,rateLimit}' IS NOT NULL`;
}

/** SQL of two columns for a limit's id: its held jobs, counted up to `most`, and its bucket if it has a rate. */
export function keyUse(limitId: string, most: string, hasRate = 'true'): string {
  return `(SELECT count(*)::int FROM (
    SELECT FROM job_runs r WHERE r.limit_id = ${limitId} AND r.limit_id IS NOT NULL AND r.state IN (${ASSIGNED}, ${RUNNING}, ${CANCELLING}) LIMIT ${most}
  ) AS held) AS held, CASE WHEN ${hasRate} THEN (SELECT full_time FROM rate_buckets b WHERE b.bucket_id = ${limitId}) END AS full_time`;
}

export const keyUseRowType = { held: 'int4', full_time: 'timestamptz?' } satisfies RowType;

export function keyUseOf(row: RowWith<typeof keyUseRowType>): KeyUse {
  return { held: row.held, fullTimeUs: row.full_time };
}

// At the time of this statement, which runs after the one that assigns: that time counts, not the time when the limits
// were read. Otherwise units that came back in between would be assigned twice within one interval.
const takeMany = {
  name: 'take_rate_units',
  text: `
WITH now AS MATERIALIZED (
  SELECT greatest($4::timestamptz, least(muster_now(), $4::timestamptz + interval '1 minute')) AS time
),
taken AS MATERIALIZED (
  SELECT i.bucket_id, sum(i.added_us) * interval '1 microsecond' AS added
  FROM ${inputTable({ bucket_id: 'uuid', added_us: 'bigint', stored_job_id: 'uuid' }, 'i')}
  WHERE i.stored_job_id IS NULL OR (SELECT true FROM job_runs r WHERE r.job_id = i.stored_job_id)
  GROUP BY i.bucket_id ORDER BY i.bucket_id
)
INSERT INTO rate_buckets AS b (bucket_id, full_time)
SELECT t.bucket_id, now.time + t.added FROM taken t, now
ON CONFLICT (bucket_id) DO UPDATE
SET full_time = greatest(b.full_time, (SELECT time FROM now)) + (excluded.full_time - (SELECT time FROM now))`,
};

export function takeRateUnits(session: Session, taken: readonly TakenUnits[], readUs: number): void {
  if (taken.length === 0) return;
  void session.run(takeMany, [
    taken.map((one) => one.bucketId),
    taken.map((one) => one.addedUs),
    taken.map((one) => one.storedJobId),
    timestampOf(readUs),
  ]);
}
