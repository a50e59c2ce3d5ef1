/** Edges from waiting jobs to the targets of their dependencies, stored with new jobs or for jobs that wait already. */
import {
  conditions,
  type Dependency,
  decideSkip,
  dependencyKinds,
  isMet,
  unmetText,
} from '../../domain/dependencies/dependencies.ts';
import type { Change } from '../../domain/jobs/run.ts';
import type { DependencyRefusal, LinkedDependency, StoredDependency } from '../../engine/ports/dependencies.ts';
import type { Insertion, NewJob, SubmitCall } from '../../engine/ports/submissions.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { FairRanks } from '../dispatch/fair-ranks.ts';
import { type Session, type Statement, within } from '../driver/database.ts';
import { targetsJson } from '../events/traced-targets.ts';
import { changeRuns } from '../jobs/change/change-runs.ts';
import { dependencyOf, dependencyRowType } from './dependency-rows.ts';
import { linkAll, targetIdOf } from './dependency-targets.ts';

const columns = {
  job_id: 'uuid',
  number: 'smallint',
  target_id: 'uuid',
  kind: 'smallint',
  condition: 'smallint',
  after_time: 'timestamptz',
  workflow_job_id: 'uuid',
  step: 'smallint',
  name: 'text',
};

const insertSome = {
  name: 'insert_dependencies',
  text: `
WITH added AS (
  INSERT INTO job_dependencies (job_id, number, target_id, kind, condition, after_time, workflow_job_id, step, name)
  SELECT job_id, number, target_id, kind, condition, coalesce(after_time, '-infinity'), workflow_job_id, step, name
  FROM ${inputTable(columns, 'i')}
  RETURNING job_id
)
UPDATE job_runs r SET unmet_dependencies = unmet_dependencies + a.edges
FROM (SELECT job_id, count(*) AS edges FROM added GROUP BY job_id) AS a WHERE ${sameKey('r.job_id', 'a.job_id')}`,
};

/** Keeps the start times of blocked jobs for when they are released. */
const keepStarts = {
  name: 'keep_starts_of_blocked',
  text: `
UPDATE job_runs r SET run_time = i.run_time
FROM ${inputTable({ job_id: 'uuid', run_time: 'timestamptz' }, 'i')} WHERE ${sameKey('r.job_id', 'i.job_id')}`,
};

const readLast = {
  name: 'read_last_dependency',
  text: `
SELECT coalesce(max(number), -1) AS last, count(*)::int AS count FROM job_dependencies WHERE job_id = $1`,
  row: { last: 'int4', count: 'int4' },
} satisfies Statement;

const readOfJob = {
  name: 'read_dependencies',
  text: `SELECT * FROM job_dependencies WHERE job_id = ANY($1::uuid[]) ORDER BY job_id, number`,
  row: dependencyRowType,
} satisfies Statement;

/** `first`: the number of the first of these dependencies. */
export interface EdgesOf {
  readonly jobId: string;
  readonly first: number;
  readonly dependencies: readonly Dependency[];
}

async function insertEdges(session: Session, namespace: string, edges: readonly EdgesOf[]): Promise<void> {
  const all = edges.flatMap(({ jobId, first, dependencies }) =>
    dependencies.map(({ on, condition }, i) => ({ jobId, number: first + i, on, condition })),
  );
  if (all.length === 0) return;
  await session.run(insertSome, [
    all.map((edge) => edge.jobId),
    all.map((edge) => edge.number),
    all.map(({ on }) => targetIdOf(namespace, on)),
    all.map(({ on }) => dependencyKinds[on.kind]),
    all.map(({ condition }) => conditions[condition]),
    all.map(({ on }) => (on.kind === 'ASSET' ? on.afterUs : null)),
    all.map(({ on }) => (on.kind === 'STEP' ? on.workflowJobId : null)),
    all.map(({ on }) => (on.kind === 'STEP' ? on.number : null)),
    all.map(({ on }) => (on.kind === 'JOB' ? null : on.kind === 'STEP' ? on.step : on.name)),
  ]);
}

/** The jobs of a call with their dependencies. */
export interface Linked {
  readonly insertion: Insertion;
  readonly edges: readonly EdgesOf[];
  /** Reasons by the id of each job that is to be skipped. */
  readonly skipped: ReadonlyMap<string, string>;
}

/** Why a job can never start. Undefined: it can. */
export function unmetOf(links: readonly LinkedDependency[]): string | undefined {
  const unmet = links.find(({ dependency, ending }) => ending && !isMet(dependency.condition, ending));
  return unmet?.ending && unmetText(unmet.dependency, unmet.ending);
}

/**
 * Runs before the jobs are stored: locks the targets of their dependencies, and decides the first state of each job.
 */
export async function linkJobs(
  session: Session,
  { namespace }: SubmitCall,
  insertion: Insertion,
): Promise<Linked | DependencyRefusal> {
  const lists = await linkAll(
    session,
    namespace,
    insertion.jobs.map(({ dependencies }) => dependencies ?? []),
  );
  const edges: EdgesOf[] = [];
  const skipped = new Map<string, string>();
  const jobs: NewJob[] = [];
  for (const [i, job] of insertion.jobs.entries()) {
    const found = lists[i] ?? [];
    const missing = found.indexOf(undefined);
    if (missing >= 0) return notFound(insertion, job, missing);
    const links = found as readonly LinkedDependency[];
    const why = unmetOf(links);
    const open = links.flatMap(({ dependency, ending }) => (ending ? [] : [dependency]));
    if (why) skipped.set(job.jobId, why);
    else if (open.length > 0) edges.push({ jobId: job.jobId, first: 0, dependencies: open });
    const traced = { ...job, tracedTargets: targetsJson(links) };
    jobs.push(why || open.length > 0 ? { ...traced, state: 'BLOCKED' } : traced);
  }
  return { insertion: { ...insertion, jobs }, edges, skipped };
}

function notFound({ call }: Insertion, job: NewJob, number: number): DependencyRefusal {
  const index = call.jobs.findIndex(({ jobId }) => jobId === job.jobId);
  const on = job.dependencies?.[number]?.on;
  const jobId = on?.kind === 'JOB' ? on.jobId : on?.kind === 'STEP' ? on.workflowJobId : '';
  return { kind: 'targetNotFound', index, number, jobId };
}

/** Runs once the jobs are stored. Returns the jobs that have ended. */
export async function storeLinks(
  session: Session,
  fairRanks: FairRanks,
  { namespace }: SubmitCall,
  { insertion, edges, skipped }: Linked,
): Promise<Change[]> {
  await insertEdges(session, namespace, edges);
  const timed = insertion.jobs.filter(({ state, runTimeUs }) => state === 'BLOCKED' && runTimeUs !== undefined);
  if (timed.length > 0)
    await session.run(keepStarts, [timed.map(({ jobId }) => jobId), timed.map(({ runTimeUs }) => runTimeUs)]);
  return endSkipped(session, fairRanks, namespace, skipped);
}

const JOBS_PER_STATEMENT = 1_000;

async function endSkipped(
  session: Session,
  fairRanks: FairRanks,
  namespace: string,
  skipped: ReadonlyMap<string, string>,
): Promise<Change[]> {
  const changes: Change[] = [];
  const jobIds = [...skipped.keys()];
  for (let at = 0; at < jobIds.length; at += JOBS_PER_STATEMENT) {
    const some = { by: 'jobs', namespace, jobIds: jobIds.slice(at, at + JOBS_PER_STATEMENT) } as const;
    const ended = await changeRuns(within(session), fairRanks, some, (run) =>
      decideSkip(run, skipped.get(run.jobId) as string),
    );
    changes.push(...ended);
  }
  return changes;
}

/** Locks an open job and the targets of its new dependencies. */
export async function linkOne(session: Session, namespace: string, jobId: string, dependencies: readonly Dependency[]) {
  const [links = []] = await linkAll(session, namespace, [dependencies], [jobId]);
  const [row] = await session.run(readLast, [jobId]);
  return { count: row?.count ?? 0, links };
}

export async function addEdges(
  session: Session,
  namespace: string,
  jobId: string,
  dependencies: readonly Dependency[],
): Promise<void> {
  const [row] = await session.run(readLast, [jobId]);
  await insertEdges(session, namespace, [{ jobId, first: (row?.last ?? -1) + 1, dependencies }]);
}

export async function readDependencies(session: Session, jobIds: readonly string[]): Promise<StoredDependency[]> {
  return (await session.run(readOfJob, [jobIds])).map(dependencyOf);
}
