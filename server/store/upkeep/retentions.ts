/** How long ended jobs are kept: one row where it differs from what holds otherwise. */
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import type { Session } from '../driver/database.ts';

/** Who waits for a job must find it when it has ended, however short its retention. */
const MIN_MS = 60_000;

/** Retention of the jobs of a lane, in ms: its definition's, or else its namespace's, or else 7 days; a minute at least. */
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
};

/** In place of a definition's name: what holds for all of a namespace. */
const ALL = '';

/**
 * Of a definition, whose newest version's holds for the jobs of all versions, or of a namespace; undefined: as otherwise.
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

/** A namespace's; undefined: as otherwise. */
export async function readRetention(session: Session, namespace: string): Promise<number | undefined> {
  return (await session.run(readOne, [namespace, ALL]))[0]?.retention_ms;
}

// All lanes: they are as many as there are placements, and are read once a minute.
const readBounds = {
  name: 'read_retention_bounds',
  text: `
SELECT muster_now() AS now, min(kept.ms) AS shortest, max(kept.ms) AS longest
FROM lanes l CROSS JOIN LATERAL (SELECT ${retentionOf('l')} AS ms) AS kept`,
};

export interface RetentionBounds {
  readonly nowMs: number;
  /** Of all that are in force, in ms. */
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** Undefined while there is not a single lane, and so no job. */
export async function readRetentionBounds(session: Session): Promise<RetentionBounds | undefined> {
  const [row] = await session.run(readBounds, []);
  if (!row || row.longest === null) return undefined;
  return { nowMs: Math.floor(row.now / 1000), shortestMs: row.shortest, longestMs: row.longest };
}
