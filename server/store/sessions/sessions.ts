/** Worker sessions: opened, renewed by heartbeats, closed in two steps. */
import type { SessionEnd } from '../../domain/jobs/decide.ts';
import type { Beat, ClosingSessions, Lapse, NewSession, Renewal, SessionRow } from '../../engine/ports/sessions.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { Filled, RowOf, RowType, RowWith } from '../driver/row-types.ts';

const stateNames = ['OPEN', 'CLOSING', 'CLOSED'] as const;
const causes: readonly SessionEnd[] = ['LAPSE', 'CLOSE', 'MASS_LAPSE', 'WORKER_LOST'];
export const sessionColumns = `session_id, namespace, worker_name, state, lease_until, beat_time, open_time, beats, ping_echo,
  draining, drain_wanted, slots, handlers, labels, resources, sdk`;

export const sessionRowType = {
  session_id: 'uuid',
  namespace: 'text',
  worker_name: 'text',
  state: 'int2',
  lease_until: 'timestamptz',
  beat_time: 'timestamptz',
  open_time: 'timestamptz',
  beats: 'int8',
  ping_echo: 'int8',
  draining: 'bool',
  drain_wanted: 'bool',
  slots: 'int4',
  handlers: 'text',
  labels: 'text',
  resources: 'text',
  sdk: 'text',
} satisfies RowType;

// IS NOT DISTINCT FROM in look-ups of sessions by id: with `=` the planner could read the whole index of the sessions
// that are not closed while that index is small, and keep the plan when it has grown.
// A lease counts from the later one of the database's and the replica's clock: one that began while the database's was
// behind would lapse once it is right again.
const insertOne = {
  name: 'insert_session',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time)
INSERT INTO sessions (session_id, namespace, worker_name, state, lease_until, beat_time, open_time, slots, handlers, labels,
                      resources, sdk, request_id, lease_ms)
SELECT $1, $2, $3, 1, greatest(now.time, $11::timestamptz) + $4::bigint * interval '1 ms', now.time, now.time, $5, $6, $7,
       $8, $9, $10, $4
FROM now
ON CONFLICT (namespace, request_id) WHERE request_id IS NOT NULL DO NOTHING
RETURNING ${sessionColumns}`,
  row: sessionRowType,
} satisfies Statement;

const readByRequest = {
  name: 'read_session_by_request',
  text: `SELECT ${sessionColumns} FROM sessions WHERE namespace = $1 AND request_id = $2`,
  row: sessionRowType,
} satisfies Statement;
const readMany = {
  name: 'read_sessions',
  text: `SELECT ${sessionColumns} FROM sessions WHERE session_id = ANY($1::uuid[])`,
  row: sessionRowType,
} satisfies Statement;

// A session keeps the lease that it was opened with, since its worker counts on that. $1 is for those that an older
// release opened. A lease never gets shorter, though the clock may step back. One that ends more than two leases from the
// later one of both clocks was written while the database's was ahead. The clock is read when the locks are held: by an
// earlier time, a lease that another replica renewed while we waited looks too long.
// NO KEY UPDATE: compatible with the KEY SHARE of a claim, so beats and claims of one session never wait for each other.
const renewMany = {
  name: 'renew_sessions',
  text: `
WITH i AS MATERIALIZED (SELECT * FROM ${inputTable({ session_id: 'uuid', ping_echo: 'bigint', draining: 'boolean' }, 'i', 3)}),
locked AS MATERIALIZED (
  SELECT s.session_id, s.beat_time AS previous_beat, coalesce(s.lease_ms, $1) * interval '1 ms' AS lease, i.ping_echo, i.draining
  FROM i JOIN sessions s ON ${sameKey('s.session_id', 'i.session_id')}
  WHERE s.state IS NOT DISTINCT FROM 1 ORDER BY i.session_id FOR NO KEY UPDATE OF s
),
now AS MATERIALIZED (SELECT muster_now() AS time FROM (SELECT count(*) FROM locked) AS held),
latest AS MATERIALIZED (SELECT greatest(time, $2::timestamptz) AS time FROM now)
UPDATE sessions s
SET lease_until = CASE WHEN s.lease_until > latest.time + 2 * l.lease THEN latest.time + l.lease
                       ELSE greatest(s.lease_until, latest.time + l.lease) END,
    beat_time = CASE WHEN s.beat_time > latest.time + interval '1 min' THEN now.time ELSE greatest(s.beat_time, now.time) END,
    beats = s.beats + 1, ping_echo = greatest(s.ping_echo, l.ping_echo), draining = l.draining
FROM locked l, now, latest WHERE ${sameKey('s.session_id', 'l.session_id')}
RETURNING s.session_id, s.beats, s.ping_echo, l.previous_beat, s.beat_time, s.draining, s.drain_wanted`,
  row: {
    session_id: 'uuid',
    beats: 'int8',
    ping_echo: 'int8',
    previous_beat: 'timestamptz',
    beat_time: 'timestamptz',
    draining: 'bool',
    drain_wanted: 'bool',
  },
} satisfies Statement;

// FOR UPDATE waits for every claim that holds the row. The lease is read under the lock, since a heartbeat may have
// renewed it while we waited. `now` was read before the lock, which can only spare a session.
const closeMany = {
  name: 'close_sessions',
  text: `
WITH now AS MATERIALIZED (SELECT least(muster_now(), $4::timestamptz) AS time),
locked AS MATERIALIZED (
  SELECT session_id, lease_until FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1
  ORDER BY session_id FOR UPDATE
)
UPDATE sessions s SET state = 2, close_cause = $2 FROM locked l, now
WHERE ${sameKey('s.session_id', 'l.session_id')} AND ($3::bigint IS NULL OR l.lease_until + $3 * interval '1 ms' <= now.time)
RETURNING s.session_id`,
  row: { session_id: 'uuid' },
} satisfies Statement;

const endMany = {
  name: 'end_sessions',
  text: `
WITH locked AS MATERIALIZED (
  SELECT session_id FROM sessions WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 2
  ORDER BY session_id FOR UPDATE
)
UPDATE sessions s SET state = 3, close_time = (SELECT muster_now()) FROM locked l
WHERE ${sameKey('s.session_id', 'l.session_id')} AND NOT EXISTS (SELECT FROM job_runs r WHERE r.session_id = s.session_id OFFSET 0)
RETURNING s.session_id`,
  row: { session_id: 'uuid' },
} satisfies Statement;

/** Sessions per page. */
const PAGE = 1_000;

// The counts are of all sessions: an outage of Muster is recognized by them, however many are on the page.
const readLapsedSessions = {
  name: 'read_lapsed_sessions',
  text: `
WITH now AS MATERIALIZED (SELECT least(muster_now(), $1::timestamptz) AS time),
open AS MATERIALIZED (SELECT session_id, lease_until FROM sessions WHERE state <> 3 AND state = 1),
counts AS (
  SELECT count(*)::int AS open, (count(*) FILTER (WHERE lease_until <= now.time))::int AS lapsed, max(lease_until) AS latest
  FROM open, now
)
SELECT s.session_id, s.lease_until, now.time AS now, counts.open, counts.lapsed, counts.latest
FROM now CROSS JOIN counts LEFT JOIN LATERAL (
  SELECT * FROM open WHERE lease_until <= now.time ORDER BY lease_until, session_id LIMIT ${PAGE}
) AS s ON true`,
  row: {
    session_id: 'uuid?',
    lease_until: 'timestamptz?',
    now: 'timestamptz',
    open: 'int4',
    lapsed: 'int4',
    latest: 'timestamptz?',
  },
} satisfies Statement;

// Written while the clock was ahead. A worker that lives renews its lease within this one. The clock is read again when
// the locks are held, as above.
const shortenMany = {
  name: 'shorten_leases',
  text: `
WITH before AS MATERIALIZED (SELECT greatest(muster_now(), $2::timestamptz) AS time),
locked AS MATERIALIZED (
  SELECT session_id, lease_until, coalesce(lease_ms, $1) * interval '1 ms' AS lease FROM sessions, before
  WHERE state <> 3 AND state = 1 AND lease_until > before.time + coalesce(lease_ms, $1) * interval '2 ms'
  ORDER BY session_id FOR NO KEY UPDATE OF sessions
),
latest AS MATERIALIZED (SELECT greatest(muster_now(), $2::timestamptz) AS time FROM (SELECT count(*) FROM locked) AS held)
UPDATE sessions s SET lease_until = latest.time + l.lease FROM locked l, latest
WHERE ${sameKey('s.session_id', 'l.session_id')} AND l.lease_until > latest.time + 2 * l.lease RETURNING s.session_id`,
  row: { session_id: 'uuid' },
} satisfies Statement;

const readClosingSessions = {
  name: 'read_closing_sessions',
  text: `SELECT session_id, close_cause FROM sessions WHERE state <> 3 AND state = 2 ORDER BY namespace, session_id LIMIT ${PAGE + 1}`,
  row: { session_id: 'uuid', close_cause: 'int2' },
} satisfies Statement;

export function sessionRow(row: RowWith<typeof sessionRowType>): SessionRow {
  return {
    sessionId: row.session_id,
    namespace: row.namespace,
    workerName: row.worker_name,
    state: stateNames[row.state - 1] as SessionRow['state'],
    leaseUntilUs: row.lease_until,
    beatTimeUs: row.beat_time,
    openTimeUs: row.open_time,
    beats: row.beats,
    pingEcho: row.ping_echo,
    draining: row.draining || row.drain_wanted,
    drainWanted: row.drain_wanted,
    slots: row.slots,
    handlers: JSON.parse(row.handlers),
    labels: JSON.parse(row.labels),
    resources: JSON.parse(row.resources),
    sdk: JSON.parse(row.sdk),
  };
}

export async function insertSession(session: Session, opened: NewSession): Promise<SessionRow | undefined> {
  const { sessionId, namespace, workerName, leaseMs, slots, handlers, labels, resources, sdk, requestId } = opened;
  const texts = [handlers, labels, resources, sdk].map((value) => JSON.stringify(value));
  const rows = await session.run(insertOne, [
    sessionId,
    namespace,
    workerName,
    leaseMs,
    slots,
    ...texts,
    requestId ?? null,
    timestampOf(opened.nowUs),
  ]);
  return rows.map(sessionRow)[0];
}

export async function findSession(
  session: Session,
  namespace: string,
  requestId: string,
): Promise<SessionRow | undefined> {
  return (await session.run(readByRequest, [namespace, requestId])).map(sessionRow)[0];
}

export async function renewSessions(
  session: Session,
  beats: readonly Beat[],
  leaseMs: number,
  nowUs: number,
): Promise<Renewal[]> {
  const rows = await session.run(renewMany, [
    leaseMs,
    timestampOf(nowUs),
    beats.map((beat) => beat.sessionId),
    beats.map((beat) => beat.pingEcho),
    beats.map((beat) => beat.draining),
  ]);
  return rows.map((row) => ({
    sessionId: row.session_id,
    beats: row.beats,
    pingEcho: row.ping_echo,
    previousBeatUs: row.previous_beat,
    beatUs: row.beat_time,
    draining: row.draining || row.drain_wanted,
    drainWanted: row.drain_wanted,
  }));
}

export async function readSessions(session: Session, sessionIds: readonly string[]): Promise<SessionRow[]> {
  return (await session.run(readMany, [sessionIds])).map(sessionRow);
}

export async function closeSessions(
  session: Session,
  sessionIds: readonly string[],
  how: SessionEnd,
  lapsedForMs?: number,
  latestUs?: number,
): Promise<string[]> {
  const cause = causes.indexOf(how) + 1;
  const rows = await session.run(closeMany, [sessionIds, cause, lapsedForMs ?? null, timestampOf(latestUs)]);
  return rows.map((row) => row.session_id);
}

export async function endSessions(session: Session, sessionIds: readonly string[]): Promise<string[]> {
  return (await session.run(endMany, [sessionIds])).map((row) => row.session_id);
}

export async function readLapsed(session: Session, latestUs: number): Promise<Lapse> {
  const rows = await session.run(readLapsedSessions, [timestampOf(latestUs)]);
  const [{ now: nowUs, open: openCount, lapsed: lapsedCount, latest }] = rows as [RowOf<typeof readLapsedSessions>];
  const found = rows.filter((row) => row.session_id !== null) as Filled<RowOf<typeof readLapsedSessions>>[];
  const lapsed = found.map((row) => ({ sessionId: row.session_id, leaseUntilUs: row.lease_until }));
  return { lapsed, lapsedCount, openCount, nowUs, latestLeaseUs: latest ?? undefined };
}

export async function shortenLeases(session: Session, leaseMs: number, nowUs: number): Promise<string[]> {
  return (await session.run(shortenMany, [leaseMs, timestampOf(nowUs)])).map((row) => row.session_id);
}

export async function readClosing(session: Session): Promise<ClosingSessions> {
  const rows = await session.run(readClosingSessions, []);
  const closing = rows
    .slice(0, PAGE)
    .map((row) => ({ sessionId: row.session_id, how: causes[row.close_cause - 1] as SessionEnd }));
  return { closing, hasMore: rows.length > PAGE };
}
