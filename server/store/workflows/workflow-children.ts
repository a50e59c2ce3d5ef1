/** Jobs of steps, and members of batches: their ends, their results, and the open ones. */

import type { Payload } from '../../domain/base/payload.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import { MAX_STEPS } from '../../domain/workflows/workflow.ts';
import type { ChildKey, ChildOutcome, OpenChildren, StepKey } from '../../engine/ports/workflows.ts';
import { failureOf } from '../base/failure-text.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { Filled, RowOf } from '../driver/row-types.ts';

const readMany = {
  name: 'read_child_outcomes',
  text: `
SELECT o.* FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (
  SELECT job_id, state, result, result_content_type, result_metadata, failure
  FROM job_outcomes WHERE job_outcomes.job_id = i.job_id OFFSET 0
) AS o`,
  row: {
    job_id: 'uuid',
    state: 'int2',
    result: 'bytea?',
    result_content_type: 'text?',
    result_metadata: 'text?',
    failure: 'text?',
  },
} satisfies Statement;

/** Of a row that has a result. */
function resultOf(row: Pick<RowOf<typeof readMany>, 'result' | 'result_content_type' | 'result_metadata'>): Payload {
  const { result, result_content_type: contentType } = row as Filled<typeof row>;
  return payloadOf(result, contentType, row.result_metadata);
}

export async function readOutcomes(session: Session, childIds: readonly string[]): Promise<ChildOutcome[]> {
  if (childIds.length === 0) return [];
  const rows = await session.run(readMany, [childIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    state: stateOf(row.state),
    result: row.result === null ? undefined : resultOf(row),
    failure: row.failure === null ? undefined : failureOf(row.failure),
  }));
}

// The lengths first, which are known without a read of the results: if they are too large none is read. One row without
// an item: there is no result.
const readResults = {
  name: 'read_item_results',
  text: `
WITH sized AS MATERIALIZED (
  SELECT j.job_id, j.item, o.bytes
  FROM (SELECT job_id, item FROM jobs WHERE parent_job_id = $1 AND step = $2) AS j
  CROSS JOIN LATERAL (
    SELECT octet_length(result) AS bytes FROM job_outcomes
    WHERE job_outcomes.job_id = j.job_id AND state = ${stateCodes.SUCCEEDED} OFFSET 0
  ) AS o
),
total AS MATERIALIZED (SELECT coalesce(sum(bytes), 0) <= $3 AS fits FROM sized)
SELECT total.fits, r.* FROM total LEFT JOIN LATERAL (
  SELECT s.item, o.result, o.result_content_type, o.result_metadata
  FROM sized s CROSS JOIN LATERAL (
    SELECT result, result_content_type, result_metadata FROM job_outcomes WHERE job_outcomes.job_id = s.job_id OFFSET 0
  ) AS o
) AS r ON total.fits
ORDER BY r.item`,
  row: { fits: 'bool', item: 'int4?', result: 'bytea?', result_content_type: 'text?', result_metadata: 'text?' },
} satisfies Statement;

export async function readItemResults(
  session: Session,
  { jobId, step }: StepKey,
  maxBytes: number,
): Promise<{ readonly item: number; readonly result: Payload }[] | undefined> {
  const rows = await session.run(readResults, [jobId, step, maxBytes]);
  if (!rows[0]?.fits) return undefined;
  return rows.flatMap((row) => (row.item === null ? [] : [{ item: row.item, result: resultOf(row) }]));
}

// Compensations have numbers after those of all steps, and are never asked to stop. Last steps first: those wait for a
// worker, which then gets none of them when it is asked to stop its running ones.
const readOpen = {
  name: 'read_open_children',
  text: `
SELECT job_id FROM job_runs
WHERE parent_job_id = $1 AND step BETWEEN coalesce($2::smallint, 0) AND coalesce($2::smallint, ${MAX_STEPS - 1}) AND state <> ${stateCodes.CANCELLING}
  AND step <> ALL($4::smallint[])
ORDER BY parent_job_id DESC, step DESC, job_id DESC LIMIT $3`,
  row: { job_id: 'uuid' },
} satisfies Statement;

/** Last steps first; without jobs that are CANCELLING. */
export async function readOpenChildren(
  session: Session,
  { jobId, step, butSteps }: OpenChildren,
  limit: number,
): Promise<string[]> {
  const rows = await session.run(readOpen, [jobId, step ?? null, limit, butSteps]);
  return rows.map((row) => row.job_id);
}

// Compared as rows: only the index of children is sorted by them.
const readPage = {
  name: 'read_children',
  text: `
SELECT step, job_id FROM job_runs
WHERE (parent_job_id, step, job_id) > ($1::uuid, $2::smallint, $3::uuid) AND parent_job_id = $1 AND state <> ${stateCodes.CANCELLING}
ORDER BY parent_job_id, step, job_id LIMIT $4`,
  row: { step: 'int2', job_id: 'uuid' },
} satisfies Statement;

/** By step, then by id; without jobs that are CANCELLING. */
export async function readChildren(
  session: Session,
  jobId: string,
  after: ChildKey | undefined,
  limit: number,
): Promise<ChildKey[]> {
  const rows = await session.run(readPage, [jobId, after?.step ?? 0, after?.jobId ?? NIL_UUID, limit]);
  return rows.map((row) => ({ step: row.step, jobId: row.job_id }));
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000';
