/** Edges from waiting jobs to the targets of their dependencies, stored with new jobs or for jobs that wait already. */
import { conditions, dependencyKinds } from '../../domain/dependencies/dependencies.ts';
import type { EdgesOf, NumbersOfJob, StartOfJob, StoredDependency } from '../../engine/ports/dependencies.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { dependencyOf, dependencyRowType } from './dependency-rows.ts';
import { targetIdOf } from './dependency-targets.ts';

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
  text: `SELECT ${columnsOf(dependencyRowType)} FROM job_dependencies WHERE job_id = ANY($1::uuid[]) ORDER BY job_id, number`,
  row: dependencyRowType,
} satisfies Statement;

export async function insertEdges(session: Session, namespace: string, edges: readonly EdgesOf[]): Promise<void> {
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

export async function keepStartTimes(session: Session, jobs: readonly StartOfJob[]): Promise<void> {
  await session.run(keepStarts, [jobs.map(({ jobId }) => jobId), jobs.map(({ runTimeUs }) => runTimeUs)]);
}

export async function readLastNumber(session: Session, jobId: string): Promise<NumbersOfJob> {
  const [row] = await session.run(readLast, [jobId]);
  return { count: row?.count ?? 0, last: row?.last ?? -1 };
}

export async function readDependencies(session: Session, jobIds: readonly string[]): Promise<StoredDependency[]> {
  return (await session.run(readOfJob, [jobIds])).map(dependencyOf);
}
