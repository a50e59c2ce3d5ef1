/** Inserts the clean-up jobs of others, in the transaction that ends those. */
import { stateCodes } from '../../../domain/jobs/job-state.ts';
import type { Cleanup, End } from '../../../domain/jobs/run.ts';
import { inputTable } from '../../base/input-table.ts';
import { addCounts } from '../../dispatch/lane-counts.ts';
import type { Session } from '../../driver/database.ts';
import { groups, outboxInsert } from '../../events/outbox.ts';

const columns = {
  cleanup_job_id: 'uuid',
  job_id: 'uuid',
  lane_id: 'int',
  rank: 'bigint',
  run_timeout_ms: 'bigint',
  retry_policy: 'text',
  span_id: 'text',
  traceparent: 'text',
};

// A clean-up has the input of the job and is part of its trace. In the caller's trace context, digits 37 to
// 52 hold the id of its span.
const insertMany = {
  name: 'insert_cleanups',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
i AS MATERIALIZED (
  SELECT i.cleanup_job_id, i.job_id, i.lane_id, i.rank, i.run_timeout_ms, i.retry_policy, j.priority, j.input,
         j.input_content_type, j.input_metadata, j.tracestate,
         coalesce(overlay(j.traceparent PLACING coalesce(i.span_id, substring(j.traceparent FROM 37 FOR 16)) FROM 37),
                  i.traceparent) AS traceparent
  FROM ${inputTable(columns, 'i')}
  CROSS JOIN LATERAL (
    SELECT priority, input, input_content_type, input_metadata, traceparent, tracestate
    FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0
  ) AS j
),
record AS (
  INSERT INTO jobs (job_id, lane_id, priority, labels, input, input_content_type, input_metadata, retry_policy,
                    run_timeout_ms, traceparent, tracestate, parent_job_id, create_time)
  SELECT cleanup_job_id, lane_id, priority, jsonb_build_object('muster/cleanup-of', job_id::text), input,
         input_content_type, input_metadata, retry_policy, run_timeout_ms, traceparent, tracestate, job_id, now.time
  FROM i, now
),
${groups({ from: '(SELECT cleanup_job_id AS job_id, lane_id FROM i) AS made' })},
${addCounts(`SELECT lane_id, ${stateCodes.READY} AS state, jobs FROM groups`)},
published AS (${outboxInsert({ state: stateCodes.READY })})
INSERT INTO job_runs (job_id, lane_id, state, rank, input_size, run_timeout_ms)
SELECT cleanup_job_id, lane_id, ${stateCodes.READY}, rank, octet_length(input), run_timeout_ms FROM i`,
};

/** For ends that have a clean-up. */
export async function insertCleanups(session: Session, ends: readonly End[]): Promise<void> {
  const cleanups = ends.map((end) => end.cleanup as Cleanup);
  await session.run(insertMany, [
    cleanups.map((cleanup) => cleanup.jobId),
    ends.map((end) => end.run.jobId),
    cleanups.map((cleanup) => cleanup.laneId),
    cleanups.map((cleanup) => cleanup.rank),
    cleanups.map((cleanup) => cleanup.runTimeoutMs),
    cleanups.map((cleanup) => JSON.stringify(cleanup.retryPolicy)),
    cleanups.map((cleanup) => cleanup.trace?.spanId),
    cleanups.map((cleanup) => cleanup.trace?.traceparent),
  ]);
}
