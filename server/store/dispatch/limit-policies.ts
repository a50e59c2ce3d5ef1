/** Key limits whose policy lets no new jobs wait: checked in the transaction that stores them, call after call. */

import { judgeLimit, type OpenJob } from '../../domain/dispatch/limit-policy.ts';
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type { KeyLimitOfJob } from '../../engine/ports/limits.ts';
import type { SubmitCall, SubmitResult } from '../../engine/ports/submissions.ts';
import type { Session, Statement } from '../driver/database.ts';

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

/** Within a transaction: why the call can't be stored as it is. Undefined: it can. */
export async function limitObstacle(session: Session, call: SubmitCall): Promise<SubmitResult | undefined> {
  const limited = call.limits ?? [];
  const definitions = [...new Set(limited.map(({ definition }) => definition))];
  const rows = await session.run(lockMany, [call.namespace, definitions]);
  const limits = new Map(rows.map((row) => [row.definition, JSON.parse(row.limits) as DefinitionLimits]));
  const byKey = Map.groupBy(limited, ({ limitId }) => limitId);
  const open = await openJobs(session, [...byKey.keys()]);
  const held: { index: number; jobId: string }[] = [];
  for (const [limitId, jobs] of byKey) {
    const [{ index, definition }] = jobs as [KeyLimitOfJob];
    const { policy = 'WAIT', maxConcurrency } = limits.get(definition)?.keyLimit ?? {};
    if (maxConcurrency === undefined) continue;
    const others = open.get(limitId) ?? [];
    const verdict = judgeLimit(policy, maxConcurrency, others, jobs.length);
    if (verdict.kind === 'refuse')
      return { kind: 'limitReached', index, maxConcurrency, openJobIds: others.map(({ jobId }) => jobId) };
    if (verdict.kind === 'cancel') held.push(...verdict.jobIds.map((jobId) => ({ index, jobId })));
  }
  return held.length > 0 ? { kind: 'limitsHeld', held } : undefined;
}

async function openJobs(session: Session, limitIds: readonly string[]): Promise<Map<string, OpenJob[]>> {
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
