/** Limits of keys, for jobs about to be stored. */

import type { OpenOfKey } from '../../domain/dispatch/limit-policy.ts';
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';

import type { LaneUnderLimits, UseOfKey } from '../../engine/ports/limits.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { hasKeyRate, keyUse, keyUseOf, keyUseRowType, mostOfKey } from './limit-use.ts';

/** Max jobs of a key read to be cancelled. Cancellations beyond this take several reads. */
const MAX_READ = 2_000;

// Claims under these limits take the same locks: a job that is open once they are ours stays open until we have stored.
const lockMany = {
  name: 'lock_definition_limits',
  text: `
SELECT definition, limits FROM definition_limits WHERE namespace = $1 AND definition = ANY($2::text[])
ORDER BY definition FOR NO KEY UPDATE`,
  row: { definition: 'text', limits: 'text' },
} satisfies Statement;

const { CANCELLING } = stateCodes;
const held = [stateCodes.ASSIGNED, stateCodes.RUNNING, CANCELLING].join(', ');

const waiting = [stateCodes.BLOCKED, stateCodes.SCHEDULED, stateCodes.READY, stateCodes.PAUSED].join(', ');

// Includes jobs submitted before the policy was set, if they are held or deferred. Of many, the counts are whole, and
// the rows are those that a policy cancels first: the oldest that are not being cancelled, and the oldest that wait.
const readOpen = {
  name: 'read_open_of_limits',
  text: `
SELECT limit_id, job_id, state, open_count, live_count FROM (
  SELECT o.*, count(*) OVER same_key AS open_count, count(*) FILTER (WHERE o.state <> ${CANCELLING}) OVER same_key AS live_count,
         row_number() OVER (PARTITION BY o.limit_id ORDER BY o.state = ${CANCELLING}, o.job_id) AS place,
         row_number() OVER (PARTITION BY o.limit_id ORDER BY o.state NOT IN (${waiting}), o.job_id) AS place_waiting
  FROM unnest($1::uuid[]) AS i (limit_id) CROSS JOIN LATERAL (
    (SELECT limit_id, job_id, state FROM job_runs r WHERE r.limit_id = i.limit_id AND r.limit_mark IS NOT NULL)
    UNION ALL
    (SELECT limit_id, job_id, state FROM job_runs r
     WHERE r.limit_id = i.limit_id AND r.limit_id IS NOT NULL AND r.state IN (${held}) AND r.limit_mark IS NULL)
  ) AS o
  WINDOW same_key AS (PARTITION BY o.limit_id)
) AS o
WHERE place <= ${MAX_READ} OR (place_waiting <= ${MAX_READ} AND state IN (${waiting}))`,
  row: { limit_id: 'uuid', job_id: 'uuid', state: 'int2', open_count: 'int8', live_count: 'int8' },
} satisfies Statement;

export async function lockKeyLimits(
  session: Session,
  namespace: string,
  definitions: readonly string[],
): Promise<Map<string, DefinitionLimits>> {
  const rows = await session.run(lockMany, [namespace, definitions]);
  return new Map(rows.map((row) => [row.definition, JSON.parse(row.limits)]));
}

export async function readOpenOfLimits(session: Session, limitIds: readonly string[]): Promise<Map<string, OpenOfKey>> {
  const rows = Map.groupBy(await session.run(readOpen, [limitIds]), (row) => row.limit_id);
  return new Map(Array.from(rows, ([limitId, jobs]) => [limitId, openOfKey(jobs as [OpenRow, ...OpenRow[]])]));
}

type OpenRow = RowOf<typeof readOpen>;

function openOfKey(rows: readonly [OpenRow, ...OpenRow[]]): OpenOfKey {
  const [{ open_count: openCount, live_count: liveCount }] = rows;
  return { jobs: rows.map((row) => ({ jobId: row.job_id, state: stateOf(row.state) })), openCount, liveCount };
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
