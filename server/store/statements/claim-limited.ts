/**
 * Claims jobs of a lane with limits. All claims under a limit take turns by the lock on its row, and count what is held
 * from the jobs themselves, in a statement after the lock: so a limit is never exceeded, and no permit can be lost with
 * whoever held it. Jobs whose keys have no room are moved out of the way of later claims.
 */

import { stateCodes } from '../../domain/job-state.ts';
import { admit, type Capacity, type Room, roomOf, roomOfAll, takeUnits } from '../../domain/limits.ts';
import type { LimitedClaim, LimitedClaimLane } from '../../engine/limit-views.ts';
import type { ClaimedJob, Place } from '../../engine/store-port.ts';
import type { Row, Session } from '../database.ts';
import { inputTable } from '../input-table.ts';
import { sameKey } from '../same-key.ts';
import { claimedJob, OVERHEAD_BYTES, recordOfRun, runTimeoutLeft } from './claim-jobs.ts';
import { heldBack, passedBy } from './held-lanes.ts';
import { addCounts } from './lane-counts.ts';
import {
  keyCapacity,
  keyUse,
  type LimitUse,
  type LockedLimits,
  lockLimits,
  readLimitUse,
  takeRateUnits,
} from './limit-use.ts';

/** Jobs that are looked at, at least, where some may be at the limit of their keys. */
const LEAST_LOOKED_AT = 100;

// Sessions and the lane are locked as by any other claim, and for the same reasons, but the lane after the limits: see
// `lockLimits`.
const lockSessions = {
  name: 'lock_sessions_of_limited',
  text: `
SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1 AND NOT drain_wanted
ORDER BY session_id FOR KEY SHARE SKIP LOCKED`,
};

const lockCandidates = {
  name: 'lock_limited_candidates',
  text: `
WITH lane AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = $1 AND held_back & ~$5::smallint = 0 FOR KEY SHARE SKIP LOCKED
),
candidates AS MATERIALIZED (
  SELECT c.* FROM lane CROSS JOIN LATERAL (
    SELECT r.job_id, r.rank, r.input_size, r.limit_id FROM job_runs r
    WHERE r.lane_id = lane.lane_id AND r.state = ${stateCodes.READY} AND r.rank >= $2
    ORDER BY r.rank, r.job_id LIMIT $3 FOR UPDATE SKIP LOCKED
  ) AS c
),
used AS MATERIALIZED (
  SELECT k.limit_id, ${keyUse('k.limit_id', '$4')} FROM (SELECT DISTINCT limit_id FROM candidates WHERE limit_id IS NOT NULL) AS k
)
SELECT c.*, u.held, u.full_time
FROM candidates c LEFT JOIN used u ON u.limit_id = c.limit_id ORDER BY c.rank, c.job_id`,
};

const columns = { job_id: 'uuid', session_id: 'uuid', credit_id: 'bigint', place: 'int' };

// The rows are ours already.
const claimMany = {
  name: 'claim_limited',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
claimed AS (
  UPDATE job_runs r
  SET state = ${stateCodes.ASSIGNED}, attempt = r.attempt + 1, revision = r.revision + 1, session_id = i.session_id,
      credit_id = i.credit_id, assign_time = now.time, due_time = NULL, reason = NULL,
      progress_sequence = 0, progress_fraction = NULL, progress_message = NULL
  FROM ${inputTable(columns, 'i')}, now WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id, r.lane_id, r.rank, r.attempt, r.attempts_counted, ${runTimeoutLeft('r')} AS run_timeout_ms, i.place,
            CASE WHEN i.place = 0 THEN now.time END AS assign_time
),
${addCounts(`
    SELECT lane_id, to_state.state, to_state.sign * count(*) AS jobs
    FROM claimed CROSS JOIN (VALUES (${stateCodes.READY}, -1), (${stateCodes.ASSIGNED}, 1)) AS to_state (state, sign)
    GROUP BY lane_id, to_state.state, to_state.sign`)}
SELECT k.*, ${recordOfRun.columns} FROM claimed k ${recordOfRun.joins}`,
};

const parkMany = {
  name: 'park_at_limit',
  text: `
WITH parked AS (
  UPDATE job_runs r SET lane_id = $2 FROM unnest($1::uuid[]) AS i (job_id) WHERE ${sameKey('r.job_id', 'i.job_id')}
  RETURNING r.job_id
),
${addCounts(`
    SELECT to_lane.lane_id, ${stateCodes.READY} AS state, to_lane.sign * count(*) AS jobs
    FROM parked CROSS JOIN (VALUES ($3::int, -1), ($2::int, 1)) AS to_lane (lane_id, sign)
    GROUP BY to_lane.lane_id, to_lane.sign`)}
SELECT count(*)::int AS jobs FROM parked`,
};

/** Within a transaction. */
export async function claimLimitedIn(session: Session, claim: LimitedClaim): Promise<ClaimedJob[]> {
  const { lane } = claim;
  const places = await openPlaces(session, claim.places);
  const limits = await lockLimits(session, lane);
  const use = await readLimitUse(session, lane, limits);
  const cost = limits.definition?.rateCost ?? 1;
  const room = roomOfAll([use.queue, use.definition].flatMap((one) => (one ? [roomOf(one, cost, use.nowUs)] : [])));
  const most = Math.min(room.jobs, places.length);
  const asked = limits.definition?.keyLimit ? Math.max(most, LEAST_LOOKED_AT) : most;
  const rows = most > 0 ? await candidates(session, claim, limits, asked) : [];
  const keys = keyRooms(rows, limits, cost, use.nowUs);
  const listed = rows.map((row) => ({
    jobId: row.job_id as string,
    limitId: (row.limit_id as string | null) ?? undefined,
    bytes: row.input_size + OVERHEAD_BYTES,
  }));
  const { admitted, over } = admit(listed, roomsOf(keys), most, claim.maxBytes);
  const assigned = await assign(session, admitted, places);
  if (over.length > 0) await session.run(parkMany, [over, lane.atLimitLaneId, lane.laneId]);
  await takeRateUnits(session, unitsTaken({ lane, use, keys, cost, ...assigned }, rows, new Set(admitted)));
  const waiting = new Set(over);
  lane.onLimits?.({
    full: admitted.length >= room.jobs,
    openTimeUs: room.openTimeUs,
    parked: [...new Set(listed.flatMap(({ jobId, limitId }) => (limitId && waiting.has(jobId) ? [limitId] : [])))],
    // Without a session that takes anything the next claim would find no more, as with a lane that has nothing.
    dry: places.length === 0 || (most > 0 && rows.length < asked && admitted.length + over.length === rows.length),
  });
  return assigned.jobs;
}

async function openPlaces(session: Session, places: readonly Place[]): Promise<Place[]> {
  const ids = [...new Set(places.map((place) => place.sessionId))];
  const open = new Set((await session.run(lockSessions, [ids])).map((row) => row.session_id));
  return places.filter((place) => open.has(place.sessionId));
}

function candidates(session: Session, claim: LimitedClaim, limits: LockedLimits, asked: number): Promise<Row[]> {
  const { lane } = claim;
  const mask = heldBack.limited | passedBy(claim);
  const heldAtMost = limits.definition?.keyLimit?.maxConcurrency ?? 0;
  return session.run(lockCandidates, [lane.laneId, lane.cursor, asked, heldAtMost, mask]);
}

type Keys = ReadonlyMap<string, { readonly capacity: Capacity; readonly room: Room }>;

function keyRooms(rows: readonly Row[], limits: LockedLimits, cost: number, nowUs: number): Keys {
  const keys = new Map<string, { capacity: Capacity; room: Room }>();
  for (const row of rows) {
    if (row.limit_id === null || keys.has(row.limit_id)) continue;
    const capacity = keyCapacity(limits.definition, row);
    keys.set(row.limit_id, { capacity, room: roomOf(capacity, cost, nowUs) });
  }
  return keys;
}

function roomsOf(keys: Keys): Map<string, Room> {
  return new Map(Array.from(keys, ([limitId, { room }]) => [limitId, room]));
}

interface Assigned {
  readonly jobs: ClaimedJob[];
  /** When, in microseconds. */
  readonly timeUs: number;
}

async function assign(session: Session, jobIds: readonly string[], places: readonly Place[]): Promise<Assigned> {
  if (jobIds.length === 0) return { jobs: [], timeUs: 0 };
  const rows = await session.run(claimMany, [
    jobIds,
    jobIds.map((_, i) => places[i]?.sessionId),
    jobIds.map((_, i) => places[i]?.creditId),
    jobIds.map((_, i) => i),
  ]);
  const jobs = rows.map((row) => claimedJob(row, places[row.place] as Place));
  return { jobs, timeUs: rows.find((row) => row.place === 0)?.assign_time ?? 0 };
}

interface Taken extends Assigned {
  readonly lane: LimitedClaimLane;
  readonly use: LimitUse;
  readonly keys: Keys;
  readonly cost: number;
}

/**
 * When the buckets that the admitted jobs took units of will be full again. Units are taken at the time of the assignment,
 * and not when the limits were read: what came back in between would be given out twice within one stretch of time.
 */
function unitsTaken({ lane, use, keys, cost, timeUs }: Taken, rows: readonly Row[], admitted: ReadonlySet<string>) {
  const fullTimes = new Map<string, number>();
  const take = (bucketId: string, capacity: Capacity | undefined, jobs: number) => {
    if (!capacity?.rateLimit || jobs === 0) return;
    fullTimes.set(bucketId, takeUnits(capacity.rateLimit, capacity.fullTimeUs, jobs * cost, timeUs));
  };
  take(lane.queueBucketId, use.queue, admitted.size);
  take(lane.definitionBucketId, use.definition, admitted.size);
  const byKey = new Map<string, number>();
  for (const row of rows)
    if (row.limit_id !== null && admitted.has(row.job_id)) byKey.set(row.limit_id, (byKey.get(row.limit_id) ?? 0) + 1);
  for (const [limitId, jobs] of byKey) take(limitId, keys.get(limitId)?.capacity, jobs);
  return fullTimes;
}
