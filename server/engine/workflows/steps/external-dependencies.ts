/**
 * Steps whose jobs depend on jobs outside their workflow. Jobs are locked in the order of their ids, the workflow's own
 * job among them. So a transaction that meets such a step is rolled back, and repeated with the locks taken first.
 */
import type { Dependency } from '../../../domain/dependencies/dependencies.ts';
import { waitText } from '../../../domain/dependencies/dependencies.ts';
import { dependencyOf, expressionOf } from '../../../domain/workflows/step-dependencies.ts';
import type { WorkflowStep } from '../../../domain/workflows/workflow.ts';
import { EngineError } from '../../base/errors.ts';
import { cycleOf } from '../../dependencies/cycle-search.ts';
import { type ResolveParts, resolveDependencies, targetNotFound } from '../../dependencies/resolve.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { Store } from '../../ports/store.ts';
import type { Body } from '../bodies.ts';
import { NoValue, type Values } from '../values.ts';

/** A step that is ready to start, with the dependencies of its job. */
export interface StepWait {
  readonly jobId: string;
  readonly namespace: string;
  readonly step: number;
  readonly name: string;
  /** After the lookup, dependencies on steps have the steps' numbers. */
  readonly dependencies: readonly Dependency[];
  /** Why it can't depend on them. Undefined: no problem is known. */
  readonly refusal?: string;
}

/** Thrown for a step whose dependencies are not locked yet. */
export class UnlockedWait extends Error {
  readonly wait: StepWait;

  constructor(wait: StepWait) {
    super(`what step ${wait.name} of workflow ${wait.jobId} waits for is not locked`);
    this.wait = wait;
  }
}

/** Evaluates a step's dependency expressions. Throws NoValue. */
export async function dependenciesOf(
  { dependsOn = [] }: Pick<WorkflowStep, 'dependsOn'>,
  step: number,
  body: Body,
  values: Values,
): Promise<Dependency[]> {
  const found: Dependency[] = [];
  for (const [i, one] of dependsOn.entries()) {
    const expression = body.expression(`depends_on[${i}]`, step);
    const dependency = dependencyOf(one, expression && JSON.parse(await values.evaluate(expression)));
    if (typeof dependency === 'string')
      throw new NoValue(`its depends_on[${i}].${expressionOf(one).field} ${dependency}`);
    found.push(dependency);
  }
  return found;
}

/** Outside a transaction: looks up what its dependencies name. */
export async function resolvedWait(parts: ResolveParts, wait: StepWait): Promise<StepWait> {
  try {
    return { ...wait, dependencies: await resolveDependencies(parts, wait.namespace, wait.dependencies, '') };
  } catch (error) {
    if (!(error instanceof EngineError) || !refusals.has(error.reason)) throw error;
    return { ...wait, refusal: error.message };
  }
}

const refusals: ReadonlySet<string> = new Set(['JOB_NOT_FOUND', 'NOT_A_WORKFLOW', 'INVALID_FIELD']);

/** Within a transaction, before its other locks: locks the workflow and the jobs depended on. Throws UnknownLane. */
export async function lockedWait(
  store: Store['dependencies'],
  lanes: Pick<Lanes, 'load' | 'get'>,
  wait: StepWait,
): Promise<StepWait> {
  const { namespace, jobId, step, name, dependencies, refusal } = wait;
  const onJobs = dependencies.filter(({ on }) => on.kind !== 'ASSET');
  if (refusal !== undefined || onJobs.length === 0) return wait;
  await store.lockEdges(namespace);
  const { links } = await store.link(namespace, jobId, onJobs);
  const missing = onJobs[links.indexOf(undefined)];
  if (missing) return { ...wait, refusal: notFoundText(namespace, missing, dependencies.indexOf(missing)) };
  const waiter = { namespace, jobId: undefined, parentJobId: jobId, parentStep: { step, name } };
  const refused = await cycleOf(store, lanes, waiter, onJobs, 'depends_on');
  return refused ? { ...wait, refusal: refused.message } : wait;
}

function notFoundText(namespace: string, { on }: Dependency, i: number): string {
  const [jobId, field] =
    on.kind === 'JOB'
      ? [on.jobId, 'job_id']
      : on.kind === 'STEP'
        ? [on.workflowJobId, 'step.workflow_job_id']
        : ['', ''];
  return targetNotFound(namespace, jobId, `depends_on[${i}].${field}`).message;
}

const MAX_SHOWN = 3;

/** A step's dependencies, as text shown with the step. */
export function waitsText(dependencies: readonly Dependency[]): string {
  const shown = dependencies.slice(0, MAX_SHOWN).map(waitText);
  const rest = dependencies.length - shown.length;
  return `its job depends on ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
