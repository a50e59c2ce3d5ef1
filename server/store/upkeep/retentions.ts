/** Retention of ended jobs: a row for each setting that differs from the default. */
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';

/** Clients that wait for a job must find it after its end, however short its retention. */
const MIN_MS = 60_000;

/** Retention of a lane's jobs in ms: of its definition, else of its namespace, else 7 days; min 1 minute. */
export function retentionOf(lane: string): string {
  const rowOf = (definition: string) =>
    `(SELECT retention_ms FROM retentions WHERE namespace = ${lane}.namespace AND definition = ${definition})`;
  return `greatest(${MIN_MS}, coalesce(${rowOf(`${lane}.definition`)}, ${rowOf("''")}, ${definitionDefaults.retentionMs}))`;
}

const setOne = {
  name: 'set_retention',
  text: `
INSERT INTO retentions (namespace, definition, retention_ms) VALUES ($1, $2, $3)
ON CONFLICT (namespace, definition) DO UPDATE SET retention_ms = excluded.retention_ms`,
};

const unsetOne = { name: 'unset_retention', text: 'DELETE FROM retentions WHERE namespace = $1 AND definition = $2' };

const readOne = {
  name: 'read_retention',
  text: 'SELECT retention_ms FROM retentions WHERE namespace = $1 AND definition = $2',
  row: { retention_ms: 'int8' },
} satisfies Statement;

/** The definition's name in the row of a whole namespace. */
const ALL = '';

/**
 * Sets the retention of a namespace, or of a definition, whose newest version's applies to the jobs of all versions.
 * Undefined: the default.
 */
export async function setRetention(
  session: Session,
  namespace: string,
  retentionMs: number | undefined,
  definition = ALL,
): Promise<void> {
  if (retentionMs === undefined) await session.run(unsetOne, [namespace, definition]);
  else await session.run(setOne, [namespace, definition, retentionMs]);
}

/** The retention of a namespace. Undefined: the default. */
export async function readRetention(session: Session, namespace: string): Promise<number | undefined> {
  return (await session.run(readOne, [namespace, ALL]))[0]?.retention_ms;
}

// All lanes: there is one per placement, and they are read once a minute.
const readBounds = {
  name: 'read_retention_bounds',
  text: `
SELECT least(muster_now(), $1::timestamptz) AS now, min(kept.ms) AS shortest, max(kept.ms) AS longest
FROM lanes l CROSS JOIN LATERAL (SELECT ${retentionOf('l')} AS ms) AS kept`,
  row: { now: 'timestamptz', shortest: 'int8?', longest: 'int8?' },
} satisfies Statement;

export interface RetentionBounds {
  /** The present: all of a round uses it, so that a step of the database's clock in the middle deletes nothing. */
  readonly nowMs: number;
  /** Of all retentions in force, in ms. */
  readonly shortestMs: number;
  readonly longestMs: number;
}

/**
 * Undefined while there is no lane, and so no job.
 *
 * @param latestUs The present is this time at most, whatever the database's clock says.
 */
export async function readRetentionBounds(
  session: Session,
  latestUs: number | undefined,
): Promise<RetentionBounds | undefined> {
  const [row] = await session.run(readBounds, [timestampOf(latestUs)]);
  if (!row || row.shortest === null || row.longest === null) return undefined;
  return { nowMs: Math.floor(row.now / 1000), shortestMs: row.shortest, longestMs: row.longest };
}
