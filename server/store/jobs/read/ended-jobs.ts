/** Ended jobs with everything that a new job like them needs. */
import type { EndedJob } from '../../../engine/ports/jobs.ts';
import { sameKey } from '../../base/same-key.ts';
import { payloadOf } from '../../dispatch/claim-jobs.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf } from '../../driver/row-types.ts';

const statement = {
  name: 'read_ended_jobs',
  text: `
SELECT j.*, n.definition, n.definition_version, n.queue,
       EXISTS (SELECT FROM jobs r WHERE ${sameKey('r.retry_of', 'j.job_id')} AND r.retry_of IS NOT NULL) AS retried
FROM unnest($1::uuid[]) WITH ORDINALITY AS i (job_id, place)
CROSS JOIN LATERAL (
  SELECT job_id, lane_id, priority, labels, input, input_content_type, input_metadata, demands, retry_policy, run_timeout_ms,
         erase_audit_id, fairness_key
  FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0
) AS j
CROSS JOIN LATERAL (SELECT FROM job_outcomes WHERE job_outcomes.job_id = i.job_id OFFSET 0) AS o
JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
WHERE n.namespace IS NOT DISTINCT FROM $2
ORDER BY i.place`,
  row: {
    job_id: 'uuid',
    lane_id: 'int4',
    priority: 'int2',
    labels: 'jsonb?',
    input: 'bytea',
    input_content_type: 'text',
    input_metadata: 'text?',
    demands: 'text?',
    retry_policy: 'text?',
    run_timeout_ms: 'int8',
    erase_audit_id: 'uuid?',
    fairness_key: 'text?',
    definition: 'text',
    definition_version: 'int4',
    queue: 'text',
    retried: 'bool',
  },
} satisfies Statement;

function endedJob(row: RowOf<typeof statement>): EndedJob {
  return {
    jobId: row.job_id,
    definition: row.definition,
    definitionVersion: row.definition_version,
    queue: row.queue,
    priority: row.priority,
    labels: (row.labels ?? {}) as Record<string, string>,
    input: payloadOf(row.input, row.input_content_type, row.input_metadata),
    demands: row.demands ?? undefined,
    retryPolicy: row.retry_policy === null ? undefined : JSON.parse(row.retry_policy),
    runTimeoutMs: row.run_timeout_ms,
    fairnessKey: row.fairness_key ?? undefined,
    erased: row.erase_audit_id !== null,
    retried: row.retried,
  };
}

/** In the order of the ids, without jobs that are open or missing. */
export async function readEndedJobs(
  session: Session,
  namespace: string,
  jobIds: readonly string[],
): Promise<EndedJob[]> {
  return (await session.run(statement, [jobIds, namespace])).map(endedJob);
}
