/** Completes dependencies with what the transaction that stores them needs to know. */
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { DependencyStore, TargetJob } from '../ports/dependencies.ts';
import { bodyOf } from '../workflows/bodies.ts';

export interface ResolveParts {
  readonly store: { readonly dependencies: Pick<DependencyStore, 'readTargets'> };
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
}

interface Asked {
  readonly dependency: Dependency;
  /** Path in the request. */
  readonly path: string;
}

/**
 * Adds the numbers of the steps, and the time to assets; `path` is the submission that has the dependencies, empty for
 * the request itself. Throws JOB_NOT_FOUND, NOT_A_WORKFLOW, and INVALID_FIELD for a missing step.
 */
export async function resolveDependencies(
  parts: ResolveParts,
  namespace: string,
  dependencies: readonly Dependency[],
  path: string,
): Promise<readonly Dependency[]> {
  if (!dependencies.some(isUnresolved)) return dependencies;
  const madeUs = parts.clock.nowUs();
  const timed = dependencies.map((one) => (one.on.kind === 'ASSET' ? { ...one, on: { ...one.on, madeUs } } : one));
  const ids = dependencies.flatMap(({ on }) => (on.kind === 'STEP' ? [on.workflowJobId] : []));
  if (ids.length === 0) return timed;
  const workflows = await parts.store.dependencies.readTargets(namespace, [...new Set(ids)]);
  await parts.lanes.load(workflows.flatMap(({ laneId }) => (parts.lanes.get(laneId) ? [] : [laneId])));
  const byId = new Map(workflows.map((job) => [job.jobId, job]));
  return timed.map((dependency, i) =>
    numbered(parts.lanes, byId, { dependency, path: `${path === '' ? '' : `${path}.`}depends_on[${i}]` }, namespace),
  );
}

/** Whether it lacks the number of its step, or the time from which a publication counts. */
export function isUnresolved({ on }: Dependency): boolean {
  return on.kind !== 'JOB';
}

function numbered(
  lanes: ResolveParts['lanes'],
  workflows: ReadonlyMap<string, TargetJob>,
  { dependency, path }: Asked,
  namespace: string,
): Dependency {
  const { on } = dependency;
  if (on.kind !== 'STEP') return dependency;
  const { workflowJobId, step } = on;
  const job = workflows.get(workflowJobId);
  if (!job) throw targetNotFound(namespace, workflowJobId, `${path}.step.workflow_job_id`);
  const definition = lanes.get(job.laneId)?.definitionBody;
  if (!definition?.workflow)
    throw new EngineError(
      'NOT_A_WORKFLOW',
      `${path}.step.workflow_job_id: job ${workflowJobId} is a task and has no steps`,
      {
        field: `${path}.step.workflow_job_id`,
        metadata: { job_id: workflowJobId },
      },
    );
  const number = bodyOf(definition).graph.steps.findIndex(({ name }) => name === step);
  if (number < 0)
    throw new EngineError(
      'INVALID_FIELD',
      `${path}.step.step: workflow ${definition.name} version ${definition.version} has no step ${step}`,
      { field: `${path}.step.step` },
    );
  return { ...dependency, on: { ...on, number } };
}

export function targetNotFound(namespace: string, jobId: string, field: string): EngineError {
  return new EngineError('JOB_NOT_FOUND', `${field}: namespace ${namespace} has no job ${jobId} to depend on`, {
    field,
    metadata: { namespace, job_id: jobId },
  });
}
