/** Entries of the job inbox for dependents, taken together with the dependencies that they settle; and publications. */
import { ATTACHED } from '../../../domain/dependencies/children.ts';
import { dependencyKinds, type Ending, isMet, unmetText } from '../../../domain/dependencies/dependencies.ts';
import { inboxKinds, recipients } from '../../../domain/jobs/inbox.ts';
import { stateCodes, stateOf } from '../../../domain/jobs/job-state.ts';
import { stepStates } from '../../../domain/workflows/step-state.ts';
import type { Publication } from '../../../engine/ports/dependencies.ts';
import type { Settled, TakenEnds } from '../../../engine/ports/inbox.ts';
import { inputTable } from '../../base/input-table.ts';
import { sameKey } from '../../base/same-key.ts';
import { assetIdOf } from '../../base/target-ids.ts';
import { dependencyOf, dependencyRowType } from '../../dependencies/dependency-rows.ts';
import type { Session, Statement } from '../../driver/database.ts';
import type { RowOf } from '../../driver/row-types.ts';
import { keepPublishers } from '../../events/traced-targets.ts';

const { JOB_ENDED, ASSET_PUBLISHED } = inboxKinds;

/** Per transaction. */
const MAX_ENTRIES = 100;
const MAX_EDGES = 1_000;

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
  ORDER BY row_id LIMIT ${MAX_ENTRIES} FOR UPDATE SKIP LOCKED
)
SELECT n.row_id, n.subject_id, n.kind, n.state, n.lane_id, n.entry_time, e.job_id, e.number, e.step_state
FROM picked n LEFT JOIN LATERAL (
  (${ofTarget(`LIMIT ${MAX_EDGES}`)})
  UNION ALL
  (${ofWorkflow(`LIMIT ${MAX_EDGES}`)})
) AS e ON true
LIMIT ${MAX_EDGES}`,
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
RETURNING d.*`,
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

type Entry = RowOf<typeof takeSome>;
type Edge = RowOf<typeof takeEdges>;

const keyOf = (row: Pick<Entry, 'job_id' | 'number'>) => `${row.job_id}/${row.number}`;

const endedSteps: Readonly<Record<number, Ending>> = {
  [stepStates.SUCCEEDED]: 'SUCCEEDED',
  [stepStates.FAILED]: 'FAILED',
  [stepStates.UPSTREAM_FAILED]: 'UPSTREAM_FAILED',
};

/** For a step that a workflow left without an end: it was never started. */
function endingOf({ kind, state, step_state }: Entry): Ending {
  if (step_state !== null) return endedSteps[step_state] ?? 'SKIPPED';
  return kind === ASSET_PUBLISHED ? 'SUCCEEDED' : (stateOf(state as number) as Ending);
}

/** Each job with its edges that were taken: it waits for fewer, or ends. */
function settle(
  locked: readonly RowOf<typeof lockWaiting>[],
  taken: readonly Edge[],
  endings: ReadonlyMap<string, Ending>,
) {
  const byJob = Map.groupBy(taken, (row) => row.job_id);
  const settled: Settled[] = [];
  for (const { job_id: jobId, unmet_dependencies, namespace } of locked) {
    const edges = byJob.get(jobId) ?? [];
    if (edges.length === 0) continue;
    let unmet: string | undefined;
    for (const row of edges) {
      const [dependency, ending] = [dependencyOf(row), endings.get(keyOf(row)) as Ending];
      if (!isMet(dependency.condition, ending)) unmet ??= unmetText(dependency, ending);
    }
    if (unmet !== undefined || unmet_dependencies === edges.length) settled.push({ namespace, jobId, unmet });
  }
  return { settled, met: Array.from(byJob, ([jobId, edges]) => ({ jobId, edges: edges.length })) };
}

/** Locks jobs in the order of their ids, as every change of jobs does. A job that has ended meanwhile has no edges. */
export async function takeEnds(session: Session): Promise<TakenEnds> {
  const rows = await session.run(takeSome, []);
  if (rows.length === 0) return { settled: [], isMore: false, succeeded: [], orphaned: [] };
  const found = rows.filter((row) => row.job_id !== null);
  // A step's own entry takes precedence over the entry of its workflow's end.
  const endings = new Map(
    found.toSorted((a, b) => (b.step_state ?? 0) - (a.step_state ?? 0)).map((row) => [keyOf(row), endingOf(row)]),
  );
  const edges = [...new Map(found.map((row) => [keyOf(row), row])).values()];
  const jobIds = [...new Set(edges.map((row) => row.job_id as string))];
  const [locked, taken] =
    edges.length === 0
      ? [[], []]
      : await Promise.all([
          session.run(lockWaiting, [jobIds]),
          session.run(takeEdges, [edges.map((row) => row.job_id), edges.map((row) => row.number)]),
        ]);
  const { settled, met } = settle(locked, taken, endings);
  await keepPublishers(
    session,
    taken.flatMap((row) => (row.kind === dependencyKinds.ASSET ? [{ jobId: row.job_id, assetId: row.target_id }] : [])),
  );
  if (met.length > 0) await session.run(lower, [met.map(({ jobId }) => jobId), met.map((one) => one.edges)]);
  const inboxRows = [...new Map(rows.map((row) => [row.row_id, row])).values()];
  const dropped = new Set((await session.run(dropSome, [inboxRows.map((row) => row.row_id)])).map((row) => row.row_id));
  const isMore = rows.length >= MAX_EDGES || inboxRows.length >= MAX_ENTRIES || dropped.size < inboxRows.length;
  const left = inboxRows.filter((row) => row.kind === JOB_ENDED && !dropped.has(row.row_id));
  return {
    settled,
    isMore,
    succeeded: inboxRows.filter((row) => dropped.has(row.row_id)).flatMap(succeededOf),
    orphaned: left.map((row) => ({ jobId: row.subject_id, laneId: row.lane_id as number })),
  };
}

function succeededOf({ kind, state, subject_id, lane_id, entry_time }: Entry): TakenEnds['succeeded'] {
  if (kind !== JOB_ENDED || state !== stateCodes.SUCCEEDED) return [];
  return [{ jobId: subject_id, laneId: lane_id as number, endTimeUs: entry_time }];
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
  RETURNING asset_id, publish_time
)
INSERT INTO job_inbox (subject_id, kind, entry_time) SELECT asset_id, ${ASSET_PUBLISHED}, publish_time FROM published`,
};

/** Publishes each asset once, with its number of publications and the last job that published it. */
export async function publish(session: Session, publications: readonly Publication[]): Promise<void> {
  const byAsset = Map.groupBy(publications, ({ namespace, name }) => assetIdOf(namespace, name));
  const assets = Array.from(byAsset, ([assetId, all]) => ({
    assetId,
    count: all.length,
    last: all.reduce((last, one) => (one.timeUs >= last.timeUs ? one : last)),
  }));
  if (assets.length === 0) return;
  await session.run(publishSome, [
    assets.map(({ assetId }) => assetId),
    assets.map(({ last }) => last.namespace),
    assets.map(({ last }) => last.name),
    assets.map(({ count }) => count),
    assets.map(({ last }) => last.timeUs),
    assets.map(({ last }) => last.jobId),
  ]);
}
