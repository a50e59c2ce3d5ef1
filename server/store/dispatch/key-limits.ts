/** Limits of keys, for jobs about to be stored. */

import type { OpenJob } from '../../domain/dispatch/limit-policy.ts';
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';

import type { LaneUnderLimits, UseOfKey } from '../../engine/ports/limits.ts';
import type { Session, Statement } from '../driver/database.ts';
import { hasKeyRate, keyUse, keyUseOf, keyUseRowType, mostOfKey } from './limit-use.ts';

/** Max open jobs of a key read at once. A limit may be larger; cancellations beyond this take several reads. */
const MAX_OPEN = 2_000;

// Claims under these limits take the same locks: a job that is open once they are ours stays open until we have stored.
const lockMany = {
  name: 'lock_definition_limits',
  text: `
SELECT definition, limits FROM definition_limits WHERE namespace = $1 AND definition = ANY($2::text[])
ORDER BY definition FOR NO KEY UPDATE`,
  row: { definition: 'text', limits: 'text' },
} satisfies Statement;

const held = [stateCodes.ASSIGNED, stateCodes.RUNNING, stateCodes.CANCELLING].join(', ');

// Includes jobs submitted before the policy was set, if they are held or deferred.
const readOpen = {
  name: 'read_open_of_limits',
  text: `
SELECT o.limit_id, o.job_id, o.state FROM unnest($1::uuid[]) AS i (limit_id)
CROSS JOIN LATERAL (
  (SELECT limit_id, job_id, state FROM job_runs r WHERE r.limit_id = i.limit_id AND r.limit_mark IS NOT NULL LIMIT ${MAX_OPEN})
  UNION ALL
  (SELECT limit_id, job_id, state FROM job_runs r
   WHERE r.limit_id = i.limit_id AND r.limit_id IS NOT NULL AND r.state IN (${held}) AND r.limit_mark IS NULL LIMIT ${MAX_OPEN})
) AS o`,
  row: { limit_id: 'uuid', job_id: 'uuid', state: 'int2' },
} satisfies Statement;

export async function lockKeyLimits(
  session: Session,
  namespace: string,
  definitions: readonly string[],
): Promise<Map<string, DefinitionLimits>> {
  const rows = await session.run(lockMany, [namespace, definitions]);
  return new Map(rows.map((row) => [row.definition, JSON.parse(row.limits)]));
}

export async function readOpenOfLimits(session: Session, limitIds: readonly string[]): Promise<Map<string, OpenJob[]>> {
  const rows = await session.run(readOpen, [limitIds]);
  const byKey = new Map<string, OpenJob[]>();
  for (const row of rows) {
    const job = { jobId: row.job_id, state: stateOf(row.state) };
    const others = byKey.get(row.limit_id);
    if (others) others.push(job);
    else byKey.set(row.limit_id, [job]);
  }
  return byKey;
}

const readUse = {
  name: 'read_use_of_keys',
  text: `
SELECT i.limit_id, ${keyUse('i.limit_id', 'd.most', 'd.has_rate')}
FROM (
  SELECT coalesce(max(${mostOfKey('limits')}), 0) AS most, coalesce(bool_or(${hasKeyRate('limits')}), false) AS has_rate FROM definition_limits WHERE namespace = $2 AND definition = $3
) AS d, unnest($1::uuid[]) AS i (limit_id)`,
  row: { limit_id: 'uuid', ...keyUseRowType },
} satisfies Statement;

export async function readUseOfKeys(
  session: Session,
  { namespace, definition }: LaneUnderLimits,
  limitIds: readonly string[],
): Promise<UseOfKey[]> {
  const rows = await session.run(readUse, [limitIds, namespace, definition]);
  return rows.map((row) => ({ limitId: row.limit_id, ...keyUseOf(row) }));
}
