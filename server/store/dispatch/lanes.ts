/** Lanes: one row for each placement that jobs share. */

import { type LaneKey, takesResources } from '../../domain/dispatch/placement.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { HeadPage, Lane, LaneHead } from '../../engine/ports/lanes.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { claimedSingly, gates } from './gated-lanes.ts';
import { isLimited } from './limits.ts';

const keyColumns = 'namespace, queue, definition, definition_version, demands, suspect, cleanup, at_limit';

const findOne = {
  name: 'find_lane',
  text: 'SELECT lane_id, breaker FROM lanes WHERE namespace = $1 AND queue = $2 AND definition = $3 AND definition_version = $4 AND demands = $5 AND suspect = $6 AND cleanup = $7 AND at_limit = $8',
  row: { lane_id: 'int4', breaker: 'text?' },
} satisfies Statement;

// An existing queue is locked all the same: a pause waits for the new lane, or the lane sees the pause.
const ensureQueue = {
  name: 'ensure_queue',
  text: `
INSERT INTO queues AS q (namespace, name, create_time) VALUES ($1, $2, (SELECT muster_now()))
ON CONFLICT (namespace, name) DO UPDATE
SET revision = q.revision + 1, description = '', create_time = excluded.create_time, delete_time = NULL
WHERE q.delete_time IS NOT NULL`,
};

// A change of the definition's limits waits for the new lane, or the lane sees the change.
const lockDefinition = {
  name: 'lock_definition_of_lane',
  text: 'SELECT version FROM job_definitions WHERE namespace = $1 AND name = $2 AND version = $3 FOR KEY SHARE',
  row: { version: 'int4' },
} satisfies Statement;

const newLane = { namespace: '$1', queue: '$2', definition: '$3', cleanup: '$7::boolean' };

// Clean-ups are guaranteed to run: a pause of their queue does not gate their lane.
const insertOne = {
  name: 'insert_lane',
  text: `
INSERT INTO lanes (${keyColumns}, breaker, gates)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN paused AND NOT $7 THEN ${gates.queuePaused} ELSE 0 END
  | CASE WHEN EXISTS (SELECT FROM circuit_breakers b WHERE b.namespace = $1 AND b.name = $9 AND b.state <> 1) THEN ${gates.breakerOpen} ELSE 0 END
  | CASE WHEN ${isLimited(newLane)} THEN ${gates.limited} ELSE 0 END
  | CASE WHEN $8 THEN ${gates.atLimit} ELSE 0 END
  | CASE WHEN $10::boolean THEN ${gates.demanding} ELSE 0 END
FROM queues WHERE namespace = $1 AND name = $2
ON CONFLICT DO NOTHING RETURNING lane_id`,
  row: { lane_id: 'int4' },
} satisfies Statement;

const setBreaker = { name: 'name_breaker', text: 'UPDATE lanes SET breaker = $2 WHERE lane_id = $1' };

const readMany = {
  name: 'read_lanes',
  text: `SELECT lane_id, ${keyColumns}, gates FROM lanes WHERE lane_id = ANY($1::int[])`,
  row: {
    lane_id: 'int4',
    namespace: 'text',
    queue: 'text',
    definition: 'text',
    definition_version: 'int4',
    demands: 'text',
    suspect: 'bool',
    cleanup: 'bool',
    at_limit: 'bool',
    gates: 'int2',
  },
} satisfies Statement;

/** Lanes per page. */
const MAX_HEADS = 5_000;

// Hops from lane to lane along the index instead of reading every ready job. Gated lanes count as well, so that the
// page is bounded. Changes that open a lane hint at its head.
const readAllHeads = {
  name: 'read_lane_heads',
  text: `
WITH RECURSIVE heads AS (
  (SELECT lane_id, rank FROM job_runs WHERE state = ${stateCodes.READY} AND lane_id > $1 ORDER BY lane_id, rank LIMIT 1)
  UNION ALL
  SELECT n.lane_id, n.rank FROM heads h CROSS JOIN LATERAL (
    SELECT lane_id, rank FROM job_runs WHERE state = ${stateCodes.READY} AND lane_id > h.lane_id ORDER BY lane_id, rank LIMIT 1
  ) AS n
)
SELECT h.lane_id, h.rank, l.gates & ${gates.limited} <> 0 AS limited, l.gates & ~${claimedSingly}::smallint = 0 AS open
FROM (SELECT * FROM heads LIMIT ${MAX_HEADS}) AS h
CROSS JOIN LATERAL (SELECT gates FROM lanes WHERE lanes.lane_id = h.lane_id OFFSET 0) AS l
ORDER BY h.lane_id`,
  row: { lane_id: 'int4', rank: 'int8', limited: 'bool', open: 'bool' },
} satisfies Statement;

const readSomeHeads = {
  name: 'read_heads_of_lanes',
  text: `
SELECT i.lane_id, n.rank FROM unnest($1::int[]) AS i (lane_id) CROSS JOIN LATERAL (
  SELECT rank FROM job_runs WHERE state = ${stateCodes.READY} AND job_runs.lane_id = i.lane_id ORDER BY rank LIMIT 1
) AS n`,
  row: { lane_id: 'int4', rank: 'int8' },
} satisfies Statement;

function parameters(key: LaneKey) {
  const { namespace, queue, definition, definitionVersion, demands, suspect, cleanup = false, atLimit = false } = key;
  return [namespace, queue, definition, definitionVersion, demands, suspect, cleanup, atLimit];
}

export async function readLane(
  session: Session,
  key: LaneKey,
): Promise<{ readonly laneId: number; readonly breaker: string | undefined } | undefined> {
  const [found] = await session.run(findOne, parameters(key));
  return found && { laneId: found.lane_id, breaker: found.breaker ?? undefined };
}

export async function nameBreaker(session: Session, laneId: number, breaker: string): Promise<void> {
  await session.run(setBreaker, [laneId, breaker]);
}

export async function ensureQueueOfLane(session: Session, { namespace, queue }: LaneKey): Promise<void> {
  await session.run(ensureQueue, [namespace, queue]);
}

export async function lockDefinitionOfLane(session: Session, key: LaneKey): Promise<void> {
  await session.run(lockDefinition, [key.namespace, key.definition, key.definitionVersion]);
}

export async function insertLane(session: Session, key: LaneKey, breaker?: string): Promise<number | undefined> {
  const [row] = await session.run(insertOne, [...parameters(key), breaker ?? null, takesResources(key)]);
  return row?.lane_id;
}

type NamedRow = Pick<RowOf<typeof readMany>, 'namespace' | 'queue' | 'definition' | 'definition_version' | 'demands'>;

/** The columns that lanes share wherever they are read. */
export function laneName({ namespace, queue, definition, definition_version: definitionVersion, demands }: NamedRow) {
  return { namespace, queue, definition, definitionVersion, demands };
}

export async function readLanes(session: Session, laneIds: readonly number[]): Promise<Lane[]> {
  const rows = await session.run(readMany, [laneIds]);
  return rows.map((row) => ({
    laneId: row.lane_id,
    ...laneName(row),
    suspect: row.suspect,
    ...(row.cleanup ? { cleanup: true } : {}),
    ...(row.at_limit ? { atLimit: true } : {}),
    limited: (row.gates & gates.limited) !== 0,
  }));
}

const headOf = (row: RowOf<typeof readSomeHeads>): LaneHead => ({ laneId: row.lane_id, rank: row.rank });

export async function readHeads(session: Session, afterLaneId: number): Promise<HeadPage> {
  const rows = await session.run(readAllHeads, [afterLaneId]);
  return {
    heads: rows.filter((row) => row.open).map((row) => ({ ...headOf(row), limited: row.limited })),
    nextAfterLaneId: rows.length < MAX_HEADS ? undefined : rows.at(-1)?.lane_id,
  };
}

export async function readHeadsOf(session: Session, laneIds: readonly number[]): Promise<LaneHead[]> {
  return (await session.run(readSomeHeads, [laneIds])).map(headOf);
}
