/** What has come about that jobs depend on: told by the statement that makes it so, and taken, with the jobs that wait for it. */
import { dependencyKinds, type Ending, isMet, unmetText } from '../../domain/dependencies/dependencies.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import { stepStates } from '../../domain/workflows/step-state.ts';
import type { Publication, Settled, TakenInbox } from '../../engine/ports/dependencies.ts';
import type { StepKey, WrittenStep } from '../../engine/ports/workflows.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { assetIdOf, stepIdOf } from '../base/target-ids.ts';
import type { Row, Session } from '../driver/database.ts';
import { keepPublishers } from '../events/traced-targets.ts';
import { ATTACHED } from './children.ts';
import { dependencyOf } from './dependency-rows.ts';

const { JOB, STEP, ASSET } = dependencyKinds;

/**
 * A CTE that tells of the jobs that have ended, beside one called `now` with the time. Each row of `ended` has `job_id`,
 * `lane_id` and `tells_end`, and the state as which it ended, unless it is given here.
 */
export function notifyDependents(ended: string, state?: number): string {
  return `dependents_told AS (
  INSERT INTO dependency_news (target_id, kind, state, lane_id, news_time)
  SELECT job_id, ${JOB}, ${state ?? 'state'}, lane_id, (SELECT time FROM now) FROM ${ended} WHERE tells_end
)`;
}

const notifySomeSteps = {
  name: 'tell_ended_steps',
  text: `
INSERT INTO dependency_news (target_id, kind, state, news_time)
SELECT target_id, ${STEP}, state, (SELECT muster_now()) FROM ${inputTable({ target_id: 'uuid', state: 'smallint' }, 'i')}`,
};

const stepEndings: Readonly<Record<string, number>> = {
  SUCCEEDED: stateCodes.SUCCEEDED,
  FAILED: stateCodes.FAILED,
  // As a failure: no job has such a state.
  UPSTREAM_FAILED: stateCodes.FAILED,
  SKIPPED: stateCodes.SKIPPED,
};

/** Those of the steps that have ended. */
export async function notifySteps(
  session: Session,
  steps: readonly (StepKey & Pick<WrittenStep, 'state'>)[],
): Promise<void> {
  const ended = steps.filter(({ state }) => stepEndings[state] !== undefined);
  if (ended.length === 0) return;
  await session.run(notifySomeSteps, [
    ended.map(({ jobId, step }) => stepIdOf(jobId, step)),
    ended.map(({ state }) => stepEndings[state]),
  ]);
}

const MAX_INBOX_ROWS = 100;
/** Edges of one transaction. */
const MAX_EDGES = 1_000;

// Edges of a publication are met if it came after the time that they name; of steps of a workflow that has ended those that
// nothing was told of.
const ofTarget = (limit: string) => `
  SELECT d.job_id, d.number, NULL::smallint AS step_state FROM job_dependencies d
  WHERE d.target_id = n.target_id AND d.after_time < n.news_time ${limit}`;
const ofWorkflow = (limit: string) => `
  SELECT d.job_id, d.number,
         coalesce((SELECT s.state FROM workflow_steps s WHERE s.job_id = d.workflow_job_id AND s.step = d.step), ${stepStates.SKIPPED}::smallint)
  FROM job_dependencies d
  WHERE n.kind = ${JOB} AND d.workflow_job_id = n.target_id ${limit}`;

/** Of a parent that has ended: they are cancelled before it is forgotten. */
const attachedOf = `
  SELECT FROM job_runs c
  WHERE n.kind = ${JOB} AND c.parent_job_id = n.target_id AND c.step = ${ATTACHED} AND c.state <> ${stateCodes.CANCELLING}`;

const takeSome = {
  name: 'take_dependency_news',
  text: `
WITH picked AS MATERIALIZED (
  SELECT * FROM dependency_news ORDER BY row_id LIMIT ${MAX_INBOX_ROWS} FOR UPDATE SKIP LOCKED
)
SELECT n.row_id, n.target_id, n.kind, n.state, n.lane_id, n.news_time, e.job_id, e.number, e.step_state
FROM picked n LEFT JOIN LATERAL (
  (${ofTarget(`LIMIT ${MAX_EDGES}`)})
  UNION ALL
  (${ofWorkflow(`LIMIT ${MAX_EDGES}`)})
) AS e ON true
LIMIT ${MAX_EDGES}`,
};

const lockWaiting = {
  name: 'lock_dependents',
  text: `
SELECT r.job_id, r.waits_for, n.namespace
FROM (SELECT job_id, lane_id, waits_for FROM job_runs WHERE job_id = ANY($1::uuid[]) ORDER BY job_id FOR UPDATE) AS r
JOIN lanes n ON ${sameKey('n.lane_id', 'r.lane_id')}`,
};

const takeEdges = {
  name: 'take_dependencies',
  text: `
DELETE FROM job_dependencies d USING ${inputTable({ job_id: 'uuid', number: 'smallint' }, 'i')}
WHERE ${sameKey('d.job_id', 'i.job_id')} AND d.number = i.number
RETURNING d.*`,
};

const lower = {
  name: 'lower_waits',
  text: `
UPDATE job_runs r SET waits_for = r.waits_for - i.met
FROM ${inputTable({ job_id: 'uuid', met: 'smallint' }, 'i')} WHERE ${sameKey('r.job_id', 'i.job_id')}`,
};

const dropSome = {
  name: 'drop_dependency_news',
  text: `
DELETE FROM dependency_news n
WHERE n.row_id = ANY($1::bigint[]) AND NOT EXISTS (${ofTarget('OFFSET 0')})
  AND NOT EXISTS (${ofWorkflow('OFFSET 0')}) AND NOT EXISTS (${attachedOf} OFFSET 0)
RETURNING n.row_id`,
};

const deleteOfJobs = {
  name: 'delete_dependencies',
  text: 'DELETE FROM job_dependencies WHERE job_id = ANY($1::uuid[])',
};

/** Of jobs that have ended. */
export async function deleteDependencies(session: Session, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length > 0) await session.run(deleteOfJobs, [jobIds]);
}

const keyOf = (row: Row) => `${row.job_id}/${row.number}`;

const endedSteps: Readonly<Record<number, Ending>> = {
  [stepStates.SUCCEEDED]: 'SUCCEEDED',
  [stepStates.FAILED]: 'FAILED',
  [stepStates.UPSTREAM_FAILED]: 'UPSTREAM_FAILED',
};

/** Of a step that a workflow left behind without an end: it was never started. */
function endingOf({ kind, state, step_state }: Row): Ending {
  if (step_state !== null) return endedSteps[step_state] ?? 'SKIPPED';
  return kind === ASSET ? 'SUCCEEDED' : (stateOf(state) as Ending);
}

/** Each job with its edges that were taken: it waits for fewer, or ends. */
function settle(locked: readonly Row[], taken: readonly Row[], endings: ReadonlyMap<string, Ending>) {
  const byJob = Map.groupBy(taken, (row) => row.job_id as string);
  const settled: Settled[] = [];
  for (const { job_id: jobId, waits_for, namespace } of locked) {
    const edges = byJob.get(jobId) ?? [];
    if (edges.length === 0) continue;
    let unmet: string | undefined;
    for (const row of edges) {
      const [dependency, ending] = [dependencyOf(row), endings.get(keyOf(row)) as Ending];
      if (!isMet(dependency.condition, ending)) unmet ??= unmetText(dependency, ending);
    }
    if (unmet !== undefined || waits_for === edges.length) settled.push({ namespace, jobId, unmet });
  }
  return { settled, met: Array.from(byJob, ([jobId, edges]) => ({ jobId, edges: edges.length })) };
}

/** Locks jobs in the order of their ids, as all who change them do; a job that has ended meanwhile has no edges any more. */
export async function takeInbox(session: Session): Promise<TakenInbox> {
  const rows = await session.run(takeSome, []);
  if (rows.length === 0) return { settled: [], isMore: false, succeeded: [], orphaned: [] };
  const found = rows.filter((row) => row.job_id !== null);
  // What a step's own news say goes before what its workflow's end says of it.
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
    taken.flatMap((row) => (row.kind === ASSET ? [{ jobId: row.job_id, assetId: row.target_id }] : [])),
  );
  if (met.length > 0) await session.run(lower, [met.map(({ jobId }) => jobId), met.map((one) => one.edges)]);
  const inboxRows = [...new Map(rows.map((row) => [row.row_id as number, row])).values()];
  const dropped = new Set((await session.run(dropSome, [inboxRows.map((row) => row.row_id)])).map((row) => row.row_id));
  const isMore = rows.length >= MAX_EDGES || inboxRows.length >= MAX_INBOX_ROWS || dropped.size < inboxRows.length;
  const left = inboxRows.filter((row) => row.kind === JOB && !dropped.has(row.row_id));
  return {
    settled,
    isMore,
    succeeded: inboxRows.filter((row) => dropped.has(row.row_id)).flatMap(succeededOf),
    orphaned: left.map((row) => ({ jobId: row.target_id, laneId: row.lane_id })),
  };
}

function succeededOf({ kind, state, target_id, lane_id, news_time }: Row): TakenInbox['succeeded'] {
  if (kind !== JOB || state !== stateCodes.SUCCEEDED) return [];
  return [{ jobId: target_id, laneId: lane_id, endTimeUs: news_time }];
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
INSERT INTO dependency_news (target_id, kind, news_time) SELECT asset_id, ${ASSET}, publish_time FROM published`,
};

/** Each asset once, with how often it was published, and by which job last. */
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
