/** The jobs that steps need, for the links of spans. */
import type { NeededJob, NeededStep, StepTraces } from '../../engine/ports/events.ts';
import { inputTable } from '../base/input-table.ts';
import type { Database, Session, Statement } from '../driver/database.ts';

const readLanes = {
  name: 'read_lanes_of_jobs',
  text: `
SELECT j.job_id, j.lane_id FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT job_id, lane_id FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j`,
  row: { job_id: 'uuid', lane_id: 'int4' },
} satisfies Statement;

const columns = { place: 'int', job_id: 'uuid', step: 'smallint', most: 'int' };

// A fan-out's row names no job: its items are found by their step.
const readNeeded = {
  name: 'read_needed_jobs',
  text: `
SELECT i.place, j.job_id, j.traceparent FROM ${inputTable(columns, 'i')}
CROSS JOIN LATERAL (
  SELECT child_job_id, coalesce(adopted_from, job_id) AS workflow_job_id, step FROM workflow_steps w
  WHERE w.job_id = i.job_id AND w.step = i.step OFFSET 0
) AS s
CROSS JOIN LATERAL (
  (SELECT job_id, traceparent, 0 AS item FROM jobs WHERE jobs.job_id = s.child_job_id OFFSET 0)
  UNION ALL
  (SELECT job_id, traceparent, item FROM jobs
   WHERE s.child_job_id IS NULL AND parent_job_id = s.workflow_job_id AND step = s.step ORDER BY parent_job_id, step, item LIMIT i.most)
) AS j
ORDER BY i.place, j.item`,
  row: { place: 'int4', job_id: 'uuid', traceparent: 'text?' },
} satisfies Statement;

async function readNeededJobs(session: Session, needs: readonly NeededStep[]): Promise<NeededJob[]> {
  if (needs.length === 0) return [];
  const rows = await session.run(readNeeded, [
    needs.map((_, place) => place),
    needs.map(({ workflowJobId }) => workflowJobId),
    needs.map(({ step }) => step),
    needs.map(({ most }) => most),
  ]);
  return rows.map((row) => ({
    of: needs[row.place]?.of as string,
    jobId: row.job_id,
    traceparent: row.traceparent ?? '',
  }));
}

export function stepTraces(database: Database): StepTraces {
  return {
    async readLaneIds(jobIds) {
      const rows = await database.run(readLanes, [jobIds]);
      return new Map(rows.map((row) => [row.job_id, row.lane_id]));
    },
    readNeededJobs: (needs) => readNeededJobs(database, needs),
  };
}
