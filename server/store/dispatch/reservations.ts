/**
 * Lanes whose jobs fit into no session now, and the sessions reserved for them. Their rows are locked last, by claims
 * that hold the rows of their sessions: what such a claim reads of a session is what the previous claim has written.
 */

import { isAlive, type Reservation } from '../../domain/dispatch/reservation.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { Reservations } from '../../engine/ports/dispatch.ts';
import { sameKey } from '../base/same-key.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { Filled } from '../driver/row-types.ts';
import { gates } from './gated-lanes.ts';

/** Max reservations renewed per call. */
const MAX_RENEWED = 1_000;

const readMany = {
  name: 'read_reservations',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time)
SELECT now.time AS now, w.lane_id, w.since_time, w.ask_time, w.session_id, s.session_id IS NOT NULL AS is_open
FROM now
LEFT JOIN (
  SELECT * FROM reservations WHERE lane_id = $1
  UNION
  SELECT k.* FROM unnest($2::uuid[]) AS i (session_id)
  CROSS JOIN LATERAL (SELECT * FROM reservations WHERE reservations.session_id = i.session_id OFFSET 0) AS k
) AS w ON true
LEFT JOIN LATERAL (
  SELECT session_id FROM sessions
  WHERE sessions.session_id = w.session_id AND state IS NOT DISTINCT FROM 1 AND NOT draining AND NOT drain_wanted OFFSET 0
) AS s ON true`,
  row: {
    now: 'timestamptz',
    lane_id: 'int4?',
    since_time: 'timestamptz?',
    ask_time: 'timestamptz?',
    session_id: 'uuid?',
    is_open: 'bool',
  },
} satisfies Statement;

// A lane with any other gate than its demands gets no reservation. The same second is not written twice: a lane that is
// given something asks anew.
const askOne = {
  name: 'request_reservation',
  text: `
WITH ready AS MATERIALIZED (
  SELECT lane_id FROM lanes WHERE lane_id = $1 AND gates & ~${gates.demanding | gates.limited}::smallint = 0
    AND EXISTS (SELECT FROM job_runs r WHERE r.lane_id = $1 AND r.state = ${stateCodes.READY} OFFSET 0)
),
asked AS (
  INSERT INTO reservations AS w (lane_id, since_time, ask_time, session_id) SELECT lane_id, $2::timestamptz, $3::timestamptz, $4::uuid FROM ready
  ON CONFLICT (lane_id) DO UPDATE
  SET since_time = excluded.since_time, ask_time = excluded.ask_time, session_id = excluded.session_id
  WHERE w.since_time <> excluded.since_time OR w.session_id IS DISTINCT FROM excluded.session_id
     OR w.ask_time < excluded.ask_time - interval '1 s'
)
SELECT count(*)::int AS lanes FROM ready`,
  row: { lanes: 'int4' },
} satisfies Statement;

// Claims ask for reservations, and need a free slot to do so. While all slots are taken, a lane still waits.
const renewSome = {
  name: 'renew_reservations',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
old AS MATERIALIZED (
  SELECT w.lane_id FROM reservations w, now
  WHERE w.ask_time < now.time - interval '2 s'
    AND EXISTS (SELECT FROM lanes l WHERE l.lane_id = w.lane_id
                AND l.gates & ~${gates.demanding | gates.limited}::smallint = 0 OFFSET 0)
    AND EXISTS (SELECT FROM job_runs r WHERE r.lane_id = w.lane_id AND r.state = ${stateCodes.READY} OFFSET 0)
  ORDER BY w.ask_time LIMIT ${MAX_RENEWED} FOR NO KEY UPDATE OF w SKIP LOCKED
)
UPDATE reservations w SET ask_time = now.time FROM old, now WHERE ${sameKey('w.lane_id', 'old.lane_id')}`,
};

const dropOne = { name: 'drop_reservation', text: 'DELETE FROM reservations WHERE lane_id = $1' };

export async function readReservations(
  session: Session,
  laneId: number,
  sessionIds: readonly string[],
): Promise<Reservations> {
  const rows = await session.run(readMany, [laneId, sessionIds]);
  const nowUs = rows[0]?.now as number;
  let own: Reservation | undefined;
  const reserved = new Set<string>();
  for (const row of rows) {
    if (row.lane_id === null) continue;
    const { since_time: sinceUs, ask_time: askedUs, session_id } = row as Filled<typeof row>;
    const sessionId = row.is_open ? session_id : undefined;
    const wait = { sinceUs, askedUs, sessionId };
    if (row.lane_id === laneId) own = wait;
    else if (sessionId && isAlive(wait, nowUs)) reserved.add(sessionId);
  }
  return { nowUs, own, reserved };
}

export async function requestReservation(session: Session, laneId: number, wait: Reservation): Promise<boolean> {
  const { sinceUs, askedUs, sessionId } = wait;
  const [row] = await session.run(askOne, [laneId, timestampOf(sinceUs), timestampOf(askedUs), sessionId ?? null]);
  return row?.lanes === 1;
}

export async function renewReservations(session: Session): Promise<void> {
  await session.run(renewSome, []);
}

export async function dropReservation(session: Session, laneId: number): Promise<void> {
  await session.run(dropOne, [laneId]);
}
