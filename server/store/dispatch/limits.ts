/**
 * Limits of queues and definitions, and the lanes that are subject to them. Such a lane is gated for other claims: its
 * jobs are claimed by the engine's `limited-claim.ts`, which checks the limits under a lock.
 */
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
import type { Session, Statement } from '../driver/database.ts';
import { gates } from './gated-lanes.ts';

/** SQL that is true if the jobs of a lane have limits. Clean-ups are guaranteed to run: no limit applies to them. */
export function isLimited(lane: Record<'namespace' | 'queue' | 'definition' | 'cleanup', string>): string {
  return `(NOT ${lane.cleanup} AND (
    EXISTS (SELECT FROM queues q WHERE q.namespace = ${lane.namespace} AND q.name = ${lane.queue}
            AND (q.max_concurrency IS NOT NULL OR q.rate_limit IS NOT NULL) OFFSET 0)
    OR EXISTS (SELECT FROM definition_limits d WHERE d.namespace = ${lane.namespace} AND d.definition = ${lane.definition} OFFSET 0)))`;
}

const lockLanes = {
  name: 'lock_lanes_to_limit',
  text: 'SELECT lane_id FROM lanes WHERE lane_id = ANY($1::int[]) ORDER BY lane_id FOR UPDATE',
  row: { lane_id: 'int4' },
} satisfies Statement;

const ofLane = { namespace: 'l.namespace', queue: 'l.queue', definition: 'l.definition', cleanup: 'l.cleanup' };

// A separate statement: a change that another transaction committed while we waited for the lanes is younger than the
// snapshot that they were locked under.
const align = {
  name: 'align_limited_lanes',
  text: `
UPDATE lanes l SET gates = l.gates # ${gates.limited}::smallint
WHERE l.lane_id = ANY($1::int[]) AND (l.gates & ${gates.limited} <> 0) IS DISTINCT FROM ${isLimited(ofLane)}`,
};

export async function lockLanesToLimit(session: Session, laneIds: readonly number[]): Promise<void> {
  await session.run(lockLanes, [laneIds]);
}

export async function alignLimitedLanes(session: Session, laneIds: readonly number[]): Promise<void> {
  await session.run(align, [laneIds]);
}

// Keeps others from making lanes of the definition until we have committed, and waits for those under way.
const lockVersions = {
  name: 'lock_definition_versions',
  text: 'SELECT version FROM job_definitions WHERE namespace = $1 AND name = $2 ORDER BY version FOR UPDATE',
  row: { version: 'int4' },
} satisfies Statement;

const readOne = {
  name: 'read_definition_limits',
  text: 'SELECT limits FROM definition_limits WHERE namespace = $1 AND definition = $2',
  row: { limits: 'text' },
} satisfies Statement;

const setOne = {
  name: 'set_definition_limits',
  text: `
INSERT INTO definition_limits (namespace, definition, limits) VALUES ($1, $2, $3)
ON CONFLICT (namespace, definition) DO UPDATE SET limits = excluded.limits`,
};

const unsetOne = {
  name: 'unset_definition_limits',
  text: 'DELETE FROM definition_limits WHERE namespace = $1 AND definition = $2',
};

const readLaneIds = {
  name: 'read_definition_lanes',
  text: 'SELECT lane_id FROM lanes WHERE namespace = $1 AND definition = $2',
  row: { lane_id: 'int4' },
} satisfies Statement;

export async function readDefinitionLimits(
  session: Session,
  namespace: string,
  definition: string,
): Promise<DefinitionLimits | undefined> {
  const [row] = await session.run(readOne, [namespace, definition]);
  return row && JSON.parse(row.limits);
}

export async function lockDefinitionVersions(session: Session, namespace: string, definition: string): Promise<void> {
  await session.run(lockVersions, [namespace, definition]);
}

/** Undefined: none. */
export async function setDefinitionLimits(
  session: Session,
  namespace: string,
  definition: string,
  limits: DefinitionLimits | undefined,
): Promise<void> {
  if (limits) await session.run(setOne, [namespace, definition, JSON.stringify(limits)]);
  else await session.run(unsetOne, [namespace, definition]);
}

export async function readDefinitionLanes(session: Session, namespace: string, definition: string): Promise<number[]> {
  return (await session.run(readLaneIds, [namespace, definition])).map((row) => row.lane_id);
}
