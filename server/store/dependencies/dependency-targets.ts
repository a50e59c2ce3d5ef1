/** Targets of dependencies: jobs, steps and assets. */
import type { DependsOn } from '../../domain/dependencies/dependencies.ts';
import type { LockedAsset } from '../../domain/dependencies/links.ts';
import { stateOf } from '../../domain/jobs/job-state.ts';
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import type { TargetJob } from '../../engine/ports/dependencies.ts';
import type { StepKey } from '../../engine/ports/workflows.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { assetIdOf, stepIdOf } from '../base/target-ids.ts';
import type { Session, Statement } from '../driver/database.ts';

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

export async function lockTargets(
  session: Session,
  jobIds: readonly string[],
  waiting: readonly string[],
): Promise<void> {
  await session.run(lockSome, [[...jobIds, ...waiting], jobIds]);
}

export async function makeMissingAssets(session: Session, namespace: string, names: readonly string[]): Promise<void> {
  await session.run(makeAssets, [names.map((name) => assetIdOf(namespace, name)), names, namespace]);
}

export async function lockNamedAssets(
  session: Session,
  namespace: string,
  names: readonly string[],
): Promise<LockedAsset[]> {
  const nameOf = new Map(names.map((name) => [assetIdOf(namespace, name), name]));
  const rows = await session.run(lockAssets, [[...nameOf.keys()]]);
  return rows.map((row) => ({
    name: nameOf.get(row.asset_id) as string,
    publishTimeUs: row.publish_time ?? undefined,
    jobId: row.job_id ?? undefined,
    nowUs: row.now,
  }));
}

export async function readTargets(
  session: Session,
  namespace: string,
  jobIds: readonly string[],
): Promise<TargetJob[]> {
  const rows = await session.run(readSome, [jobIds, namespace]);
  return rows.map((row) => ({ jobId: row.job_id, laneId: row.lane_id, state: stateOf(row.state) }));
}
