/** Results of jobs that steps of workflows share: one job per key. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { FoundResult, KeptResult, StepCacheStore } from '../../engine/ports/workflows.ts';
import { inputTable } from '../base/input-table.ts';
import type { Database, Session, Statement } from '../driver/database.ts';

// Retention and erasures don't check the cache: results that they have deleted are missing here.
const findOne = {
  name: 'find_cached_result',
  text: `
SELECT c.job_id, c.until_time, o.end_time, (SELECT muster_now()) AS now
FROM (SELECT job_id, until_time FROM step_cache WHERE namespace = $1 AND key_hash = $2 OFFSET 0) AS c
CROSS JOIN LATERAL (SELECT FROM jobs WHERE jobs.job_id = c.job_id AND erase_audit_id IS NULL OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT end_time FROM job_outcomes WHERE job_outcomes.job_id = c.job_id AND state = ${stateCodes.SUCCEEDED} OFFSET 0
) AS o`,
  row: { job_id: 'uuid', until_time: 'timestamptz', end_time: 'timestamptz', now: 'timestamptz' },
} satisfies Statement;

async function find(session: Session, namespace: string, keyHash: Uint8Array): Promise<FoundResult | undefined> {
  const [row] = await session.run(findOne, [namespace, keyHash]);
  return row && { jobId: row.job_id, endTimeUs: row.end_time, untilUs: row.until_time, nowUs: row.now };
}

const columns = { namespace: 'text', key_hash: 'bytea', job_id: 'uuid', max_age_ms: 'bigint' };

// Sorted, so that transactions that share keys wait in one direction only. Of one transaction the youngest job wins.
const keepMany = {
  name: 'keep_cached_results',
  text: `
INSERT INTO step_cache (namespace, key_hash, job_id, until_time)
SELECT namespace, key_hash, (array_agg(job_id ORDER BY job_id DESC))[1], (SELECT muster_now()) + max(max_age_ms) * interval '1 ms'
FROM ${inputTable(columns, 'i')} GROUP BY namespace, key_hash ORDER BY namespace, key_hash
ON CONFLICT (namespace, key_hash)
DO UPDATE SET job_id = excluded.job_id, until_time = greatest(step_cache.until_time, excluded.until_time)`,
};

async function keep(session: Session, kept: readonly KeptResult[]): Promise<void> {
  if (kept.length === 0) return;
  await session.run(keepMany, [
    kept.map((item) => item.namespace),
    kept.map((item) => item.keyHash),
    kept.map((item) => item.jobId),
    kept.map((item) => item.maxAgeMs),
  ]);
}

export function stepCacheStore(database: Database): StepCacheStore {
  return {
    find: (namespace, keyHash) => find(database, namespace, keyHash),
    keep: (kept) => keep(database, kept),
  };
}
