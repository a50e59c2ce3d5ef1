/**
 * Steps of a retry that are workflows themselves: each retries the workflow that failed in its place, and adopts its
 * successful steps.
 */

import type { Payload } from '../../domain/base/payload.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { EndedJob } from '../ports/jobs.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow, StoredStep, WorkflowStore } from '../ports/workflows.ts';
import type { Steps } from './steps/steps.ts';

export interface InnerRetryParts {
  readonly store: Pick<Store, 'readEndedJobs'> & {
    readonly workflows: Pick<WorkflowStore, 'readSteps' | 'readOutcomes'>;
  };
  readonly namespace: string;
  readonly workflow: LockedWorkflow;
}

/**
 * The failed job to retry in the step's place; undefined: there is none, or it differs. It must have the same version
 * and the same input, and come only after adopted steps; otherwise its successful steps may have used other data.
 */
export async function retriedJob(
  { store, namespace, workflow: { retryOf } }: InnerRetryParts,
  steps: Steps,
  step: number,
  definition: JobDefinition,
  input: Payload,
): Promise<string | undefined> {
  const { loop, fanOut, role } = steps.graph.step(step);
  // Clean-up steps (ON_FAILURE, FINALLY) start afresh: the work before them has run again.
  if (role !== 'NORMAL') return undefined;
  if (!retryOf || !definition.workflow || loop || fanOut || !(await isBehindAdopted(steps, step))) return undefined;
  const [past] = await store.workflows.readSteps([{ jobId: retryOf, step }]);
  if (!past || !hasFailed(past)) return undefined;
  const [[outcome], [job]] = await Promise.all([
    store.workflows.readOutcomes([retryOf]),
    store.readEndedJobs(namespace, [past.childId]),
  ]);
  const isWhole = !outcome || outcome.state === 'SUCCEEDED';
  return job && !isWhole && isMatching(job, definition, input) ? job.jobId : undefined;
}

async function isBehindAdopted(steps: Steps, step: number): Promise<boolean> {
  const needs = steps.graph.needs(step);
  await steps.load(needs);
  return needs.every((need) => steps.row(need).adoptedFrom !== undefined);
}

function hasFailed<T extends StoredStep>(past: T): past is T & { readonly childId: string } {
  return past.state === 'FAILED' && past.childId !== undefined;
}

function isMatching(job: EndedJob, { name, version }: JobDefinition, { data, contentType }: Payload): boolean {
  const isSame = job.definition === name && job.definitionVersion === version;
  return isSame && !job.erased && job.input.contentType === contentType && Buffer.compare(job.input.data, data) === 0;
}
