/** The dependencies of an open job, each with its current state. */

import { uuid7Ms } from '../../domain/base/uuid.ts';
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { ExplainedDependency } from '../../domain/explain/dependency-constraints.ts';
import type { DependencyStore } from '../ports/dependencies.ts';

export type ExplainedStore = Pick<DependencyStore, 'readDependencies' | 'readTargets' | 'readSteps'>;

export async function explainedDependencies(
  store: ExplainedStore,
  namespace: string,
  jobId: string,
): Promise<ExplainedDependency[]> {
  const dependencies: readonly Dependency[] = await store.readDependencies([jobId]);
  const jobIds = dependencies.flatMap(({ on }) => (on.kind === 'JOB' ? [on.jobId] : []));
  const steps = dependencies.flatMap(({ on }) =>
    on.kind === 'STEP' ? [{ jobId: on.workflowJobId, step: on.number ?? 0 }] : [],
  );
  const [jobs, known] = await Promise.all([
    jobIds.length > 0 ? store.readTargets(namespace, jobIds) : [],
    steps.length > 0 ? store.readSteps(steps) : [],
  ]);
  const stateOfJob = new Map(jobs.map((job) => [job.jobId, job.state]));
  const stateOfStep = new Map(known.map(({ jobId: id, step, state }) => [`${id}/${step}`, state]));
  return dependencies.map((dependency) => {
    const { on } = dependency;
    if (on.kind === 'ASSET') return { dependency, state: undefined, sinceUs: undefined };
    if (on.kind === 'JOB') return { dependency, state: stateOfJob.get(on.jobId), sinceUs: uuid7Ms(on.jobId) * 1_000 };
    const state = stateOfStep.get(`${on.workflowJobId}/${on.number}`) ?? 'WAITING';
    return { dependency, state, sinceUs: uuid7Ms(on.workflowJobId) * 1_000 };
  });
}
