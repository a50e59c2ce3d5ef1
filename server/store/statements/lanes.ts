/** Lanes: one row for each placement that jobs share. */
import { stateCodes } from '../../domain/job-state.ts';
import type { LaneKey } from '../../domain/placement.ts';
import type { Lane, LaneHead } from '../../engine/store-port.ts';
import { plainArray } from '../arrays.ts';
import type { Row, Session } from '../database.ts';

const keyColumns = 'namespace, queue, definition, definition_version, demands, suspect, cleanup';

const findLane = {
  name: 'find_lane',
  text: 'SELECT lane_id FROM lanes WHERE namespace = $1 AND queue = $2 AND definition = $3 AND definition_version = $4 AND demands = $5 AND suspect = $6 AND cleanup = $7',
};

const insertLane = {
  name: 'insert_lane',
  text: `INSERT INTO lanes (${keyColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING lane_id`,
};

const readMany = {
  name: 'read_lanes',
  text: `SELECT lane_id, ${keyColumns} FROM lanes WHERE lane_id = ANY($1::int[])`,
};

// Hops from lane to lane along the index instead of reading every ready job.
const readAllHeads = {
  name: 'read_lane_heads',
  text: `
WITH RECURSIVE heads AS (
  (SELECT lane_id, rank FROM job_runs WHERE state = ${stateCodes.READY} ORDER BY lane_id, rank LIMIT 1)
  UNION ALL
  SELECT n.lane_id, n.rank FROM heads h CROSS JOIN LATERAL (
    SELECT lane_id, rank FROM job_runs WHERE state = ${stateCodes.READY} AND lane_id > h.lane_id ORDER BY lane_id, rank LIMIT 1
  ) AS n
)
SELECT lane_id, rank FROM heads LIMIT 5000`,
};

function parameters(key: LaneKey) {
  const { namespace, queue, definition, definitionVersion, demands, suspect, cleanup = false } = key;
  return [namespace, queue, definition, definitionVersion, demands, suspect, cleanup];
}

export async function ensureLane(session: Session, key: LaneKey): Promise<number> {
  // Look first: an insert that conflicts burns a number of the sequence. The second look finds a lane made meanwhile.
  for (const statement of [findLane, insertLane, findLane]) {
    const [row] = await session.run(statement, parameters(key));
    if (row) return row.lane_id;
  }
  throw new Error('a lane can neither be found nor made');
}

export async function readLanes(session: Session, laneIds: readonly number[]): Promise<Lane[]> {
  const rows = await session.run(readMany, [plainArray(laneIds)]);
  return rows.map((row: Row) => ({
    laneId: row.lane_id,
    namespace: row.namespace,
    queue: row.queue,
    definition: row.definition,
    definitionVersion: row.definition_version,
    demands: row.demands,
    suspect: row.suspect,
    ...(row.cleanup ? { cleanup: true } : {}),
  }));
}

export async function readHeads(session: Session): Promise<LaneHead[]> {
  const rows = await session.run(readAllHeads, []);
  return rows.map((row) => ({ laneId: row.lane_id, rank: row.rank }));
}
