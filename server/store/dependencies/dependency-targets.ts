/** Targets of dependencies: found, locked so that later ends are published, and checked for ends that came earlier. */
import type { Dependency, DependsOn, endings } from '../../domain/dependencies/dependencies.ts';
import { isTerminal, stateOf } from '../../domain/jobs/job-state.ts';
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import type { LinkedDependency, TargetJob } from '../../engine/ports/dependencies.ts';
import type { StepKey } from '../../engine/ports/workflows.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { assetIdOf, stepIdOf } from '../base/target-ids.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';

/** The id by which inbox entries and edges find each other. */
export function targetIdOf(namespace: string, on: DependsOn): string {
  switch (on.kind) {
    case 'JOB':
      return on.jobId;
    case 'STEP':
      return stepIdOf(on.workflowJobId, on.number ?? 0);
    case 'ASSET':
      return assetIdOf(namespace, on.name);
  }
}

/** The job whose end fulfils or breaks the dependency. */
function jobOf(on: DependsOn): string[] {
  if (on.kind === 'ASSET') return [];
  return [on.kind === 'JOB' ? on.jobId : on.workflowJobId];
}

// Waiting jobs are locked in the same order, but their own ends are not published for this.
const lockSome = {
  name: 'lock_dependency_targets',
  text: `
WITH locked AS MATERIALIZED (
  SELECT r.job_id, NOT r.notifies_end AND r.job_id = ANY($2::uuid[]) AS is_new
  FROM job_runs r WHERE r.job_id = ANY($1::uuid[]) ORDER BY r.job_id FOR NO KEY UPDATE
)
UPDATE job_runs r SET notifies_end = true FROM locked l
WHERE ${sameKey('r.job_id', 'l.job_id')} AND l.is_new`,
};

const readSome = {
  name: 'read_dependency_targets',
  text: `
SELECT i.job_id, j.lane_id, coalesce(o.state, r.state) AS state
FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0) AS j
JOIN lanes n ON ${sameKey('n.lane_id', 'j.lane_id')}
LEFT JOIN LATERAL (SELECT state FROM job_runs WHERE job_runs.job_id = i.job_id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (SELECT state FROM job_outcomes WHERE job_outcomes.job_id = i.job_id OFFSET 0) AS o ON true
WHERE n.namespace IS NOT DISTINCT FROM $2`,
  row: { job_id: 'uuid', lane_id: 'int4', state: 'int2' },
} satisfies Statement;

const stepStateNames = new Map<number, StepState>(
  Object.entries(stepStates).map(([name, code]) => [code, name as StepState]),
);

const readStepStates = {
  name: 'read_dependency_steps',
  text: `
SELECT s.* FROM ${inputTable({ job_id: 'uuid', step: 'smallint' }, 'i')}
CROSS JOIN LATERAL (
  SELECT job_id, step, state FROM workflow_steps w WHERE w.job_id = i.job_id AND w.step = i.step OFFSET 0
) AS s`,
  row: { job_id: 'uuid', step: 'int2', state: 'int2' },
} satisfies Statement;

export async function readStepsOf(session: Session, steps: readonly StepKey[]) {
  const rows = await session.run(readStepStates, [steps.map(({ jobId }) => jobId), steps.map(({ step }) => step)]);
  return rows.map((row) => ({
    jobId: row.job_id,
    step: row.step,
    state: stepStateNames.get(row.state) as StepState,
  }));
}

const makeAssets = {
  name: 'make_assets',
  text: `
INSERT INTO assets (asset_id, namespace, name)
SELECT asset_id, $3, name FROM ${inputTable({ asset_id: 'uuid', name: 'text' }, 'i')} ORDER BY asset_id
ON CONFLICT DO NOTHING`,
};

// A lock that publishers of the assets wait for, and that all waiting jobs share.
const lockAssets = {
  name: 'lock_assets',
  text: `
SELECT asset_id, publish_time, job_id, (SELECT muster_now()) AS now FROM assets
WHERE asset_id = ANY($1::uuid[]) ORDER BY asset_id FOR SHARE`,
  row: { asset_id: 'uuid', publish_time: 'timestamptz?', job_id: 'uuid?', now: 'timestamptz' },
} satisfies Statement;

export async function readTargets(
  session: Session,
  namespace: string,
  jobIds: readonly string[],
): Promise<TargetJob[]> {
  const rows = await session.run(readSome, [jobIds, namespace]);
  return rows.map((row) => ({ jobId: row.job_id, laneId: row.lane_id, state: stateOf(row.state) }));
}

const endedSteps = new Map<number | undefined, (typeof endings)[number]>([
  [stepStates.SUCCEEDED, 'SUCCEEDED'],
  [stepStates.FAILED, 'FAILED'],
  [stepStates.UPSTREAM_FAILED, 'UPSTREAM_FAILED'],
  [stepStates.SKIPPED, 'SKIPPED'],
]);

/** The state of the targets, read once they are locked. */
interface Facts {
  readonly jobs: ReadonlyMap<string, TargetJob>;
  /** By `targetIdOf`. */
  readonly steps: ReadonlyMap<string, RowOf<typeof readStepStates>>;
  readonly assets: ReadonlyMap<string, RowOf<typeof lockAssets>>;
}

async function lockAll(
  session: Session,
  namespace: string,
  ons: readonly DependsOn[],
  waiting: readonly string[],
): Promise<Facts> {
  const targetJobIds = [...new Set(ons.flatMap(jobOf))];
  const steps = ons.flatMap((on) => (on.kind === 'STEP' ? [on] : []));
  const names = [...new Set(ons.flatMap((on) => (on.kind === 'ASSET' ? [on.name] : [])))];
  const assetIds = names.map((name) => assetIdOf(namespace, name));
  // The facts come by statements after the lock: its own statement may have begun before the previous holder committed.
  const [, jobs, stepRows, , assetRows] = await Promise.all([
    targetJobIds.length + waiting.length > 0
      ? session.run(lockSome, [[...targetJobIds, ...waiting], targetJobIds])
      : [],
    targetJobIds.length > 0 ? readTargets(session, namespace, targetJobIds) : [],
    steps.length > 0
      ? session.run(readStepStates, [steps.map((on) => on.workflowJobId), steps.map((on) => on.number ?? 0)])
      : [],
    names.length > 0 ? session.run(makeAssets, [assetIds, names, namespace]) : [],
    names.length > 0 ? session.run(lockAssets, [assetIds]) : [],
  ]);
  return {
    jobs: new Map(jobs.map((job) => [job.jobId, job])),
    steps: new Map(stepRows.map((row) => [stepIdOf(row.job_id, row.step), row])),
    assets: new Map(assetRows.map((row) => [row.asset_id, row])),
  };
}

/** Undefined: the target does not exist. */
function linkOf(namespace: string, dependency: Dependency, facts: Facts): LinkedDependency | undefined {
  const { on } = dependency;
  if (on.kind === 'ASSET') {
    const { publish_time, job_id, now } = facts.assets.get(assetIdOf(namespace, on.name)) as RowOf<typeof lockAssets>;
    const afterUs = on.afterUs ?? now;
    const isThere = publish_time !== null && publish_time > afterUs;
    return {
      dependency: { ...dependency, on: { ...on, afterUs } },
      ending: isThere ? 'SUCCEEDED' : undefined,
      publisherId: isThere ? (job_id ?? undefined) : undefined,
    };
  }
  const job = facts.jobs.get(on.kind === 'JOB' ? on.jobId : on.workflowJobId);
  if (!job) return undefined;
  const ended = isTerminal(job.state) ? job.state : undefined;
  if (on.kind === 'JOB') return { dependency, ending: ended };
  const state = facts.steps.get(targetIdOf(namespace, on))?.state;
  // A step that an ended workflow never started counts as skipped.
  return { dependency, ending: endedSteps.get(state) ?? (ended && 'SKIPPED') };
}

/**
 * Locks the targets of the jobs' dependencies, and `waiting`: open jobs that wait. Links are in the order of `lists`.
 */
export async function linkAll(
  session: Session,
  namespace: string,
  lists: readonly (readonly Dependency[])[],
  waiting: readonly string[] = [],
): Promise<(LinkedDependency | undefined)[][]> {
  const ons = lists.flatMap((list) => list.map(({ on }) => on));
  const facts = await lockAll(session, namespace, ons, waiting);
  return lists.map((list) => list.map((dependency) => linkOf(namespace, dependency, facts)));
}
