/** Makes the jobs of steps, within the transaction that advances their workflow. */

import type { Payload } from '../../../domain/base/payload.ts';
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import type { WorkflowStep } from '../../../domain/workflows/workflow.ts';
import { InnerJobs, type InnerJobsParts, type InnerStore, NoJob } from '../../jobs/submit/inner-jobs.ts';
import type { NewJob, Submission } from '../../ports/submissions.ts';
import type { LockedWorkflow, ParentStep } from '../../ports/workflows.ts';
import { tooLarge } from '../results.ts';

export interface StepJobsParts extends InnerJobsParts {
  /** Max size of an input, in bytes. */
  readonly maxPayload: number;
}

/** A step, or its compensation. */
export type MadeFrom = Pick<WorkflowStep, 'definition' | 'definitionVersion' | 'overrides'> &
  Pick<Submission, 'dependencies' | 'retryOf'>;

export class StepJobs {
  readonly #parts: StepJobsParts;
  readonly #jobs: InnerJobs;

  constructor(parts: StepJobsParts) {
    this.#parts = parts;
    this.#jobs = new InnerJobs(parts);
  }

  /** The definition that the step's job would be made from now. Throws NoJob. */
  definition(store: InnerStore, namespace: string, step: MadeFrom): Promise<JobDefinition> {
    return this.#jobs.definition(store, namespace, step.definition, step.definitionVersion);
  }

  /** Throws NoJob. */
  async make(
    store: InnerStore,
    { namespace, workflow }: { readonly namespace: string; readonly workflow: LockedWorkflow },
    step: MadeFrom,
    input: Payload,
    parent: ParentStep,
  ): Promise<NewJob> {
    const size = tooLarge(input, this.#parts.maxPayload);
    if (size) throw new NoJob(`its input ${size}`);
    const definition = await this.definition(store, namespace, step);
    const submission = this.#submission(workflow, definition, step, input, parent);
    return this.#jobs.make(store, namespace, definition, submission, 'step');
  }

  #submission(
    workflow: LockedWorkflow,
    definition: JobDefinition,
    step: MadeFrom,
    input: Payload,
    parent: ParentStep,
  ): Submission {
    const { overrides = {} } = step;
    const { expireAfterMs, delayMs = 0 } = overrides;
    const runTimeUs = this.#parts.clock.nowUs() + delayMs * 1000;
    return {
      definition: definition.name,
      definitionVersion: definition.version,
      input,
      idempotencyKey: '',
      conflictPolicy: 'USE_EXISTING',
      labels: workflow.labels,
      priority: overrides.priority ?? workflow.priority,
      runTimeUs: delayMs > 0 ? runTimeUs : undefined,
      expireTimeUs: expireAfterMs === undefined ? undefined : runTimeUs + expireAfterMs * 1000,
      queue: overrides.queue ?? '',
      // The definition's own key comes first.
      fairnessKey: definition.fairnessKey ? undefined : workflow.fairnessKey,
      retryPolicy: overrides.retryPolicy,
      runTimeoutMs: overrides.runTimeoutMs,
      demands: overrides.demands,
      dependencies: step.dependencies,
      retryOf: step.retryOf,
      ...this.#jobs.traceUnder(workflow),
      parent,
    };
  }
}
