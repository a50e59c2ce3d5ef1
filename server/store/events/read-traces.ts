/** Reads jobs with the fields that their spans need. */
import { MAX_LINKS } from '../../domain/events/job-spans.ts';
import type { TraceOrigin } from '../../domain/events/trace.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { TraceRecord } from '../../engine/ports/events.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { jobRecord, recordColumns, viewColumns, viewRowType } from '../jobs/read/read-jobs.ts';
import { tracedTargets } from './traced-targets.ts';

const readOrigins = {
  name: 'read_trace_origins',
  text: `
SELECT j.job_id, j.traceparent FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT job_id, traceparent FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j`,
  row: { job_id: 'uuid', traceparent: 'text?' },
} satisfies Statement;

// Without inputs and results: spans show neither. A job that has had an attempt is no workflow, and has no steps.
const readTraces = {
  name: 'read_traces',
  text: `
SELECT ${viewColumns}, ''::bytea AS input, CASE WHEN o.state = ${stateCodes.SUCCEEDED} THEN ''::bytea END AS result,
       s.worker_name, before.job_id AS retried_job_id, before.traceparent AS retried_traceparent, cached.jobs AS cached_jobs
FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT ${recordColumns}, step, depends_on FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j
JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
LEFT JOIN job_runs r ON ${sameKey('r.job_id', 'j.job_id')}
LEFT JOIN job_outcomes o ON ${sameKey('o.job_id', 'j.job_id')}
LEFT JOIN sessions s ON ${sameKey('s.session_id', 'coalesce(o.session_id, r.session_id)')}
LEFT JOIN LATERAL (
  SELECT job_id, traceparent FROM jobs WHERE j.retry_of IS NOT NULL AND jobs.job_id = j.retry_of OFFSET 0
) AS before ON true
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_object('jobId', c.job_id, 'traceparent', coalesce(c.traceparent, ''))) AS jobs
  FROM (SELECT child_job_id FROM workflow_steps w
        WHERE o.attempt = 0 AND w.job_id = j.job_id AND w.cache_time IS NOT NULL LIMIT ${MAX_LINKS}) AS w
  CROSS JOIN LATERAL (SELECT job_id, traceparent FROM jobs WHERE jobs.job_id = w.child_job_id OFFSET 0) AS c
) AS cached ON true`,
  row: {
    ...viewRowType,
    worker_name: 'text?',
    step: 'int2?',
    depends_on: 'jsonb?',
    retried_job_id: 'uuid?',
    retried_traceparent: 'text?',
    cached_jobs: 'json?',
  },
} satisfies Statement;

export async function readTraceOrigins(session: Session, jobIds: readonly string[]): Promise<TraceOrigin[]> {
  const rows = await session.run(readOrigins, [jobIds]);
  return rows.map((row) => ({ jobId: row.job_id, traceparent: row.traceparent ?? '' }));
}

export async function readTraceRecords(session: Session, jobIds: readonly string[]): Promise<TraceRecord[]> {
  return (await session.run(readTraces, [jobIds])).map(traceRecord);
}

function traceRecord(row: RowOf<typeof readTraces>): TraceRecord {
  return {
    job: jobRecord(row),
    retryOf:
      row.retried_job_id === null
        ? undefined
        : { jobId: row.retried_job_id, traceparent: row.retried_traceparent ?? '' },
    step:
      row.step === null || row.step < 0 ? undefined : { workflowJobId: row.parent_job_id as string, step: row.step },
    dependsOn: tracedTargets(row.depends_on),
    cached: (row.cached_jobs ?? []) as TraceOrigin[],
  };
}
