/** Rows of circuit breakers: made, locked, written and listed; and the lanes that they gate. */
import { type AttemptName, type CircuitState, circuitStates } from '../../domain/retries/circuit-breaker.ts';
import type { BreakerKey, BreakerPage, BreakerRow, LockedBreaker } from '../../engine/ports/breakers.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { gates } from '../dispatch/gated-lanes.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

const keys = { namespace: 'text', name: 'text' };

const makeMany = {
  name: 'make_breakers',
  text: `
INSERT INTO circuit_breakers (namespace, name)
SELECT namespace, name FROM ${inputTable(keys, 'i')} ORDER BY namespace, name
ON CONFLICT DO NOTHING`,
};

/** The table's columns. */
export const storedBreakerType = {
  namespace: 'text',
  name: 'text',
  state: 'int2',
  tallies: 'text',
  window_ms: 'int8',
  open_duration_ms: 'int8',
  open_time: 'timestamptz?',
  probe_time: 'timestamptz?',
  probe_job_id: 'uuid?',
  probe_attempt: 'int4?',
} satisfies RowType;

export const breakerRowType = { ...storedBreakerType, now: 'timestamptz' } satisfies RowType;

// A breaker is locked before lanes, and before all rows that a claim locks.
const lockMany = {
  name: 'lock_breakers',
  text: `
WITH locked AS MATERIALIZED (
  SELECT b.* FROM ${inputTable(keys, 'i')}
  JOIN circuit_breakers b ON ${sameKey('b.namespace', 'i.namespace')} AND ${sameKey('b.name', 'i.name')}
  ORDER BY i.namespace, i.name FOR UPDATE OF b
)
SELECT ${columnsOf(storedBreakerType)}, muster_now() AS now FROM locked`,
  row: breakerRowType,
} satisfies Statement;

const columns = {
  ...keys,
  state: 'smallint',
  tallies: 'text',
  window_ms: 'bigint',
  open_duration_ms: 'bigint',
  open_time: 'timestamptz',
  probe_time: 'timestamptz',
  probe_job_id: 'uuid',
  probe_attempt: 'int',
};

const updateMany = {
  name: 'update_breakers',
  text: `
UPDATE circuit_breakers b
SET state = i.state, tallies = i.tallies, window_ms = i.window_ms, open_duration_ms = i.open_duration_ms,
    open_time = i.open_time, probe_time = i.probe_time, probe_job_id = i.probe_job_id, probe_attempt = i.probe_attempt
FROM ${inputTable(columns, 'i')}
WHERE ${sameKey('b.namespace', 'i.namespace')} AND ${sameKey('b.name', 'i.name')}`,
};

const readLanesOf = {
  name: 'read_breaker_lanes',
  text: 'SELECT lane_id FROM lanes WHERE namespace = $1 AND breaker = $2',
  row: { lane_id: 'int4' },
} satisfies Statement;

// Lanes made by a replica of an older release, or while their breaker was changing.
const readMisheld = {
  name: 'read_misgated_lanes',
  text: `
SELECT DISTINCT l.namespace, l.breaker AS name FROM lanes l
LEFT JOIN LATERAL (
  SELECT name FROM circuit_breakers WHERE namespace = l.namespace AND name = l.breaker AND state <> 1 OFFSET 0
) AS b ON true
WHERE l.breaker IS NOT NULL AND (l.gates & ${gates.breakerOpen} <> 0) IS DISTINCT FROM (b.name IS NOT NULL)
LIMIT 100`,
  row: { namespace: 'text', name: 'text' },
} satisfies Statement;

const listPage = {
  name: 'list_breakers',
  text: `
SELECT ${columnsOf(storedBreakerType)}, (SELECT muster_now()) AS now FROM circuit_breakers
WHERE namespace = $1 AND name > $2 ORDER BY namespace, name LIMIT $3`,
  row: breakerRowType,
} satisfies Statement;

const stateNames = new Map<number, CircuitState>(
  Object.entries(circuitStates).map(([name, code]) => [code, name as CircuitState]),
);

export function breakerRow(row: RowWith<typeof breakerRowType>): BreakerRow {
  const probe: AttemptName | null =
    row.probe_job_id === null ? null : { jobId: row.probe_job_id, attempt: row.probe_attempt as number };
  return {
    namespace: row.namespace,
    name: row.name,
    state: stateNames.get(row.state) as CircuitState,
    tallies: JSON.parse(row.tallies),
    windowMs: row.window_ms,
    openDurationMs: row.open_duration_ms,
    openTimeUs: row.open_time,
    probeTimeUs: row.probe_time,
    probe,
  };
}

export const lockedBreaker = (row: RowWith<typeof breakerRowType>): LockedBreaker => ({
  breaker: breakerRow(row),
  nowUs: row.now,
});

export async function writeBreakers(session: Session, breakers: readonly BreakerRow[]): Promise<void> {
  await session.run(updateMany, [
    breakers.map((breaker) => breaker.namespace),
    breakers.map((breaker) => breaker.name),
    breakers.map((breaker) => circuitStates[breaker.state]),
    breakers.map((breaker) => JSON.stringify(breaker.tallies)),
    breakers.map((breaker) => breaker.windowMs),
    breakers.map((breaker) => breaker.openDurationMs),
    breakers.map((breaker) => breaker.openTimeUs),
    breakers.map((breaker) => breaker.probeTimeUs),
    breakers.map((breaker) => breaker.probe?.jobId),
    breakers.map((breaker) => breaker.probe?.attempt),
  ]);
}

const keyParameters = (given: readonly BreakerKey[]) => [
  given.map((key) => key.namespace),
  given.map((key) => key.name),
];

export async function makeBreakers(session: Session, given: readonly BreakerKey[]): Promise<void> {
  await session.run(makeMany, keyParameters(given));
}

export async function lockBreakers(session: Session, given: readonly BreakerKey[]): Promise<LockedBreaker[]> {
  return (await session.run(lockMany, keyParameters(given))).map(lockedBreaker);
}

export async function readBreakerLanes(session: Session, { namespace, name }: BreakerKey): Promise<number[]> {
  return (await session.run(readLanesOf, [namespace, name])).map((row) => row.lane_id);
}

export async function readMisgated(session: Session): Promise<BreakerKey[]> {
  return session.run(readMisheld, []);
}

export async function listBreakers(
  session: Session,
  namespace: string,
  afterName: string,
  limit: number,
): Promise<BreakerPage> {
  const rows = await session.run(listPage, [namespace, afterName, limit]);
  return { breakers: rows.map(breakerRow), nowUs: rows[0]?.now ?? 0 };
}
