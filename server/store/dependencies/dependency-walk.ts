/** Reads for the search for cycles and for explanations of waiting jobs; also lists published assets. */
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type {
  Ancestor,
  AssetPage,
  ChildrenKey,
  DependencyStore,
  TargetJob,
  WaitingChild,
  WorkflowStage,
} from '../../engine/ports/dependencies.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { keepPublishers, keepTargets } from '../events/traced-targets.ts';
import {
  deleteDependencies,
  lockDependents,
  lowerUnmet,
  publish,
  takeDependencies,
} from '../jobs/inbox/dependency-entries.ts';
import { phaseNames, stopReasonNames } from '../workflows/workflow-rows.ts';
import { adoptChildren, linkChildren, readAttached, readJobDepth, readParentTrace } from './children.ts';
import { insertEdges, keepStartTimes, readDependencies, readLastNumber } from './dependencies.ts';
import { lockNamedAssets, lockTargets, makeMissingAssets, readStepsOf, readTargets } from './dependency-targets.ts';

const { BLOCKED, PAUSED, WAITING, CANCELLING } = stateCodes;

const lockNamespace = {
  name: 'lock_edges',
  text: 'SELECT pg_advisory_xact_lock(7302420, hashtext($1))',
  row: { pg_advisory_xact_lock: 'void' },
} satisfies Statement;

const readJobs = {
  name: 'read_dependency_jobs',
  text: `
SELECT r.job_id, r.lane_id, r.state FROM unnest($1::uuid[]) AS i (job_id)
JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}`,
  row: { job_id: 'uuid', lane_id: 'int4', state: 'int2' },
} satisfies Statement;

// Jobs that wait for a worker, or run, wait for no job.
const readChildren = {
  name: 'read_waiting_children',
  text: `
SELECT c.* FROM ${inputTable({ job_id: 'uuid', first: 'smallint', last: 'smallint' }, 'i')}
CROSS JOIN LATERAL (
  SELECT r.parent_job_id, r.job_id, r.step FROM job_runs r
  WHERE r.parent_job_id = i.job_id AND r.step BETWEEN i.first AND i.last AND r.state <> ${CANCELLING} AND r.state IN (${BLOCKED}, ${PAUSED}, ${WAITING})
  ORDER BY r.parent_job_id, r.step, r.job_id LIMIT $4
) AS c LIMIT $4`,
  row: { parent_job_id: 'uuid', job_id: 'uuid', step: 'int2' },
} satisfies Statement;

const readSomeStages = {
  name: 'read_workflow_stages',
  text: `
SELECT w.* FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT job_id, phase, stop_reason FROM workflow_runs r WHERE r.job_id = i.job_id OFFSET 0) AS w`,
  row: { job_id: 'uuid', phase: 'int2', stop_reason: 'int2' },
} satisfies Statement;

/** Bounds of step numbers, the numbers of handler children included. */
const ALL_STEPS = [-32_768, 32_767] as const;

/** The max nesting of workflows, plus one. */
const MAX_ANCESTORS = 17;

const readParents = {
  name: 'read_ancestors',
  text: `
WITH RECURSIVE above AS (
  SELECT parent_job_id, step, 1 AS level FROM job_runs WHERE job_id = $1 AND parent_job_id IS NOT NULL
  UNION ALL
  SELECT r.parent_job_id, r.step, a.level + 1
  FROM above a CROSS JOIN LATERAL (SELECT parent_job_id, step FROM job_runs WHERE job_runs.job_id = a.parent_job_id OFFSET 0) AS r
  WHERE r.parent_job_id IS NOT NULL AND a.level < ${MAX_ANCESTORS}
)
SELECT a.parent_job_id, a.step, j.lane_id FROM above a
CROSS JOIN LATERAL (SELECT lane_id FROM jobs WHERE jobs.job_id = a.parent_job_id OFFSET 0) AS j
ORDER BY a.level`,
  row: { parent_job_id: 'uuid', step: 'int2', lane_id: 'int4' },
} satisfies Statement;

const listSome = {
  name: 'list_assets',
  text: `
SELECT namespace, name, version, publish_time, job_id FROM assets
WHERE namespace = $1 AND name > $2 AND version > 0 ORDER BY namespace, name LIMIT $3`,
  row: { namespace: 'text', name: 'text', version: 'int8', publish_time: 'timestamptz', job_id: 'uuid' },
} satisfies Statement;

async function readOpenJobs(session: Session, jobIds: readonly string[]): Promise<TargetJob[]> {
  const rows = await session.run(readJobs, [jobIds]);
  return rows.map((row) => ({ jobId: row.job_id, laneId: row.lane_id, state: stateOf(row.state) }));
}

async function readWaitingChildren(
  session: Session,
  keys: readonly ChildrenKey[],
  limit: number,
): Promise<WaitingChild[]> {
  const rows = await session.run(readChildren, [
    keys.map(({ jobId }) => jobId),
    keys.map(({ step = ALL_STEPS[0] }) => step),
    keys.map(({ step = ALL_STEPS[1] }) => step),
    limit,
  ]);
  return rows.map((row) => ({ parentJobId: row.parent_job_id, jobId: row.job_id, step: row.step }));
}

async function readStages(session: Session, jobIds: readonly string[]): Promise<WorkflowStage[]> {
  const rows = await session.run(readSomeStages, [jobIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    phase: phaseNames.get(row.phase) as WorkflowStage['phase'],
    stopReason: stopReasonNames.get(row.stop_reason) as WorkflowStage['stopReason'],
  }));
}

async function readAncestors(session: Session, jobId: string): Promise<Ancestor[]> {
  const rows = await session.run(readParents, [jobId]);
  return rows.map((row) => ({ jobId: row.parent_job_id, laneId: row.lane_id, step: row.step }));
}

async function listAssets(session: Session, namespace: string, afterName: string, limit: number): Promise<AssetPage> {
  const rows = await session.run(listSome, [namespace, afterName, limit + 1]);
  const assets = rows.slice(0, limit).map((row) => ({
    namespace: row.namespace,
    name: row.name,
    version: row.version,
    publishTimeUs: row.publish_time,
    jobId: row.job_id,
  }));
  return { assets, hasMore: rows.length > limit };
}

export function dependencyStore(session: Session): DependencyStore {
  return {
    async lockEdges(namespace) {
      await session.run(lockNamespace, [namespace]);
    },
    readTargets: (namespace, jobIds) => readTargets(session, namespace, jobIds),
    lockTargets: (jobIds, waiting) => lockTargets(session, jobIds, waiting),
    makeAssets: (namespace, names) => makeMissingAssets(session, namespace, names),
    lockAssets: (namespace, names) => lockNamedAssets(session, namespace, names),
    insertEdges: (namespace, edges) => insertEdges(session, namespace, edges),
    keepStarts: (jobs) => keepStartTimes(session, jobs),
    readLastNumber: (jobId) => readLastNumber(session, jobId),
    adopt: (namespace, parent, children) => adoptChildren(session, namespace, parent, children),
    readDepth: (jobId) => readJobDepth(session, jobId),
    readTrace: (jobId) => readParentTrace(session, jobId),
    lockDependents: (jobIds) => lockDependents(session, jobIds),
    takeEdges: (keys) => takeDependencies(session, keys),
    lowerUnmet: (met) => lowerUnmet(session, met),
    keepPublishers: (edges) => keepPublishers(session, edges),
    drop: (jobIds) => deleteDependencies(session, jobIds),
    keepTargets: (jobId, links) => keepTargets(session, jobId, links),
    publish: (publications) => publish(session, publications),
    linkChildren: (jobId, childIds) => linkChildren(session, jobId, childIds),
    readAttached: (jobId, limit) => readAttached(session, jobId, limit),
    listAssets: (namespace, afterName, limit) => listAssets(session, namespace, afterName, limit),
    readOpenJobs: (jobIds) => readOpenJobs(session, jobIds),
    readWaitingChildren: (keys, limit) => readWaitingChildren(session, keys, limit),
    readStages: (jobIds) => readStages(session, jobIds),
    readSteps: (steps) => readStepsOf(session, steps),
    readAncestors: (jobId) => readAncestors(session, jobId),
    readDependencies: (jobIds) => readDependencies(session, jobIds),
  };
}
