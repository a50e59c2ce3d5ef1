/** Entries of the job inbox for dependents, and the dependencies that they settle; and publications. */
import { ATTACHED } from '../../../domain/dependencies/children.ts';
import type { EdgeKey, EndEntry, LockedDependent, Settlement } from '../../../domain/dependencies/settle.ts';
import { inboxKinds, MAX_END_EDGES, MAX_END_ENTRIES, recipients } from '../../../domain/jobs/inbox.ts';
import { stateCodes, stateOf } from '../../../domain/jobs/job-state.ts';
import { type StepState, stepStates } from '../../../domain/workflows/step-state.ts';
import type { Publication, PublishedAsset, TakenEdge } from '../../../engine/ports/dependencies.ts';
import { columnsOf } from '../../base/columns.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import { assetIdOf } from '../../base/target-ids.ts';
import { dependencyOf, dependencyRowType } from '../../dependencies/dependency-rows.ts';
import type { Session, Statement } from '../../driver/database.ts';

const { JOB_ENDED, ASSET_PUBLISHED } = inboxKinds;

// A publication meets edges if it came after the time that they name. The end of a workflow meets the edges of its
// steps that have no entry of their own.
const ofTarget = (limit: string) => `
  SELECT d.job_id, d.number, NULL::smallint AS step_state FROM job_dependencies d
  WHERE d.target_id = n.subject_id AND d.after_time < n.entry_time ${limit}`;
const ofWorkflow = (limit: string) => `
  SELECT d.job_id, d.number,
         coalesce(
           (SELECT s.state FROM workflow_steps s WHERE s.job_id = d.workflow_job_id AND s.step = d.step),
           ${stepStates.SKIPPED}::smallint
         )
  FROM job_dependencies d
  WHERE n.kind = ${JOB_ENDED} AND d.workflow_job_id = n.subject_id ${limit}`;

/** Children of a handler's job that has ended: they are cancelled before its entry is deleted. */
const attachedOf = `
  SELECT FROM job_runs c
  WHERE n.kind = ${JOB_ENDED} AND c.parent_job_id = n.subject_id AND c.step = ${ATTACHED}
    AND c.state <> ${stateCodes.CANCELLING}`;

const takeSome = {
  name: 'take_dependency_inbox',
  text: `
WITH picked AS MATERIALIZED (
  SELECT * FROM job_inbox WHERE recipient = ${recipients.DEPENDENTS}
  ORDER BY row_id LIMIT ${MAX_END_ENTRIES} FOR UPDATE SKIP LOCKED
)
SELECT n.row_id, n.subject_id, n.kind, n.state, n.lane_id, n.entry_time, e.job_id, e.number, e.step_state
FROM picked n LEFT JOIN LATERAL (
  (${ofTarget(`LIMIT ${MAX_END_EDGES}`)})
  UNION ALL
  (${ofWorkflow(`LIMIT ${MAX_END_EDGES}`)})
) AS e ON true
LIMIT ${MAX_END_EDGES}`,
  row: {
    row_id: 'int8',
    subject_id: 'uuid',
    kind: 'int2',
    state: 'int2?',
    lane_id: 'int4?',
    entry_time: 'timestamptz',
    job_id: 'uuid?',
    number: 'int2?',
    step_state: 'int2?',
  },
} satisfies Statement;

const lockWaiting = {
  name: 'lock_dependents',
  text: `
SELECT r.job_id, r.unmet_dependencies, n.namespace
FROM (SELECT job_id, lane_id, unmet_dependencies FROM job_runs WHERE job_id = ANY($1::uuid[]) ORDER BY job_id FOR UPDATE) AS r
JOIN lanes n ON ${sameKey('n.lane_id', 'r.lane_id')}`,
  row: { job_id: 'uuid', unmet_dependencies: 'int2', namespace: 'text' },
} satisfies Statement;

const takeEdges = {
  name: 'take_dependencies',
  text: `
DELETE FROM job_dependencies d USING ${inputTable({ job_id: 'uuid', number: 'smallint' }, 'i')}
WHERE ${sameKey('d.job_id', 'i.job_id')} AND d.number = i.number
RETURNING ${columnsOf(dependencyRowType, 'd')}`,
  row: dependencyRowType,
} satisfies Statement;

const lower = {
  name: 'lower_unmet_dependencies',
  text: `
UPDATE job_runs r SET unmet_dependencies = r.unmet_dependencies - i.met
FROM ${inputTable({ job_id: 'uuid', met: 'smallint' }, 'i')} WHERE ${sameKey('r.job_id', 'i.job_id')}`,
};

const dropSome = {
  name: 'drop_dependency_inbox',
  text: `
DELETE FROM job_inbox n
WHERE n.recipient = ${recipients.DEPENDENTS} AND n.row_id = ANY($1::bigint[]) AND NOT EXISTS (${ofTarget('OFFSET 0')})
  AND NOT EXISTS (${ofWorkflow('OFFSET 0')}) AND NOT EXISTS (${attachedOf} OFFSET 0)
RETURNING n.row_id`,
  row: { row_id: 'int8' },
} satisfies Statement;

const deleteOfJobs = {
  name: 'delete_dependencies',
  text: 'DELETE FROM job_dependencies WHERE job_id = ANY($1::uuid[])',
};

/** Deletes the dependencies of ended jobs. */
export async function deleteDependencies(session: Session, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length > 0) await session.run(deleteOfJobs, [jobIds]);
}

const kindNames = new Map(
  (['JOB_ENDED', 'STEP_ENDED', 'ASSET_PUBLISHED'] as const).map((kind) => [inboxKinds[kind] as number, kind]),
);

const stepStateNames = new Map(Object.entries(stepStates).map(([name, code]) => [code as number, name as StepState]));

export async function takeEntriesOfEnds(session: Session): Promise<EndEntry[]> {
  return (await session.run(takeSome, [])).map((row) => ({
    rowId: row.row_id,
    kind: kindNames.get(row.kind) as EndEntry['kind'],
    subjectId: row.subject_id,
    state: row.state === null ? undefined : stateOf(row.state),
    laneId: row.lane_id ?? undefined,
    timeUs: row.entry_time,
    edge:
      row.job_id === null
        ? undefined
        : { jobId: row.job_id, number: row.number as number, stepState: stepStateNames.get(row.step_state ?? 0) },
  }));
}

export async function lockDependents(session: Session, jobIds: readonly string[]): Promise<LockedDependent[]> {
  const rows = await session.run(lockWaiting, [jobIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    namespace: row.namespace,
    unmetDependencies: row.unmet_dependencies,
  }));
}

export async function takeDependencies(session: Session, keys: readonly EdgeKey[]): Promise<TakenEdge[]> {
  const rows = await session.run(takeEdges, [keys.map(({ jobId }) => jobId), keys.map(({ number }) => number)]);
  return rows.map((row) => ({ ...dependencyOf(row), targetId: row.target_id }));
}

export async function lowerUnmet(session: Session, met: Settlement['met']): Promise<void> {
  await session.run(lower, [met.map(({ jobId }) => jobId), met.map(({ edges }) => edges)]);
}

export async function dropEntriesOfEnds(session: Session, rowIds: readonly number[]): Promise<number[]> {
  return (await session.run(dropSome, [rowIds])).map((row) => row.row_id);
}

const publishColumns = {
  asset_id: 'uuid',
  namespace: 'text',
  name: 'text',
  version: 'bigint',
  publish_time: 'timestamptz',
  job_id: 'uuid',
};

const publishSome = {
  name: 'publish_assets',
  text: `
WITH published AS (
  INSERT INTO assets AS a (asset_id, namespace, name, version, publish_time, job_id)
  SELECT asset_id, namespace, name, version, publish_time, job_id FROM ${inputTable(publishColumns, 'i')} ORDER BY asset_id
  ON CONFLICT (asset_id) DO UPDATE SET version = a.version + excluded.version,
    publish_time = greatest(a.publish_time, excluded.publish_time),
    job_id = CASE WHEN a.publish_time > excluded.publish_time THEN a.job_id ELSE excluded.job_id END
  RETURNING asset_id, namespace, name, version, publish_time
),
notified AS (
  INSERT INTO job_inbox (subject_id, kind, entry_time) SELECT asset_id, ${ASSET_PUBLISHED}, publish_time FROM published
)
SELECT namespace, name, version FROM published`,
  row: { namespace: 'text', name: 'text', version: 'int8' },
} satisfies Statement;

/**
 * Publishes each asset once, with its number of publications and the last job that published it. Resolves with the
 * assets' versions.
 */
export async function publish(session: Session, publications: readonly Publication[]): Promise<PublishedAsset[]> {
  const byAsset = Map.groupBy(publications, ({ namespace, name }) => assetIdOf(namespace, name));
  const assets = Array.from(byAsset, ([assetId, all]) => ({
    assetId,
    count: all.length,
    last: all.reduce((last, one) => (one.timeUs >= last.timeUs ? one : last)),
  }));
  if (assets.length === 0) return [];
  return session.run(publishSome, [
    assets.map(({ assetId }) => assetId),
    assets.map(({ last }) => last.namespace),
    assets.map(({ last }) => last.name),
    assets.map(({ count }) => count),
    assets.map(({ last }) => last.timeUs),
    assets.map(({ last }) => last.jobId),
  ]);
}
