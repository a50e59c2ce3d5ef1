/** Rows of circuit breakers, changed under their locks together with the gates of their lanes. */
import {
  type AttemptName,
  type BreakerStatus,
  type CircuitState,
  circuitStates,
} from '../../domain/retries/circuit-breaker.ts';
import type { BreakerChange, BreakerKey, BreakerPage, BreakerRow, DecideBreaker } from '../../engine/ports/breakers.ts';
import type { LaneHead } from '../../engine/ports/lanes.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { gateLanes, gates } from '../dispatch/gated-lanes.ts';
import { readHeadsOf } from '../dispatch/lanes.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

const keys = { namespace: 'text', name: 'text' };

const makeMany = {
  name: 'make_breakers',
  text: `
INSERT INTO circuit_breakers (namespace, name)
SELECT namespace, name FROM ${inputTable(keys, 'i')} ORDER BY namespace, name
ON CONFLICT DO NOTHING`,
};

export const breakerRowType = {
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
  now: 'timestamptz',
} satisfies RowType;

// A breaker is locked before lanes, and before all rows that a claim locks.
const lockMany = {
  name: 'lock_breakers',
  text: `
WITH locked AS MATERIALIZED (
  SELECT b.* FROM ${inputTable(keys, 'i')}
  JOIN circuit_breakers b ON ${sameKey('b.namespace', 'i.namespace')} AND ${sameKey('b.name', 'i.name')}
  ORDER BY i.namespace, i.name FOR UPDATE OF b
)
SELECT locked.*, muster_now() AS now FROM locked`,
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
SELECT *, (SELECT muster_now()) AS now FROM circuit_breakers
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

/** Within a transaction that has locked them. */
export async function writeBreakers(session: Session, breakers: readonly BreakerRow[]): Promise<void> {
  if (breakers.length === 0) return;
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

const isHolding = ({ state }: BreakerStatus) => state !== 'CLOSED';

/** Sets or clears the gates of the breakers' lanes. Returns the lanes that it opened. */
async function gateLanesOf(session: Session, isHeld: boolean, breakers: readonly BreakerKey[]): Promise<number[]> {
  const laneIds: number[] = [];
  for (const { namespace, name } of breakers)
    for (const row of await session.run(readLanesOf, [namespace, name])) laneIds.push(row.lane_id);
  return gateLanes(session, laneIds, 'breakerOpen', isHeld);
}

/** One transaction: lock, decide, write, gate or open lanes. `make` inserts missing breakers first. */
export function changeBreakers(
  database: Database,
  given: readonly BreakerKey[],
  decide: DecideBreaker,
  make = false,
): Promise<BreakerChange> {
  return database.transaction(async (session) => {
    if (make) await session.run(makeMany, keyParameters(given));
    const rows = await session.run(lockMany, keyParameters(given));
    const breakers: BreakerRow[] = [];
    const changed: BreakerRow[] = [];
    const [opened, closed]: [BreakerKey[], BreakerKey[]] = [[], []];
    for (const row of rows) {
      const before = breakerRow(row);
      const after = { ...before, ...decide(before, row.now) };
      breakers.push(after);
      if (JSON.stringify(after) !== JSON.stringify(before)) changed.push(after);
      if (isHolding(after) !== isHolding(before)) (isHolding(after) ? opened : closed).push(after);
    }
    await writeBreakers(session, changed);
    await gateLanesOf(session, true, opened);
    const heads = await readHeadsOf(session, await gateLanesOf(session, false, closed));
    return { breakers, heads, nowUs: rows[0]?.now ?? 0 };
  });
}

/** Aligns the gates of lanes with their breakers where they differ. Returns the heads of the lanes that it opened. */
export async function alignGatedLanes(database: Database): Promise<LaneHead[]> {
  const misheld = await database.run(readMisheld, []);
  if (misheld.length === 0) return [];
  const given = misheld.map((row) => ({ namespace: row.namespace, name: row.name }));
  return database.transaction(async (session) => {
    const breakers = (await session.run(lockMany, keyParameters(given))).map(breakerRow);
    await gateLanesOf(session, true, breakers.filter(isHolding));
    const others = given.filter(({ namespace, name }) =>
      breakers.every((one) => one.namespace !== namespace || one.name !== name || !isHolding(one)),
    );
    return readHeadsOf(session, await gateLanesOf(session, false, others));
  });
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
