/** Requests skips of steps. The transaction that advances the workflow applies them. */
import { whyNotSkippable } from '../../../domain/workflows/skip.ts';
import type { WorkflowStep } from '../../../domain/workflows/workflow.ts';
import type { Announcer } from '../../announcer.ts';
import { retryCollisions } from '../../base/collisions.ts';
import { asEngineError, EngineError } from '../../base/errors.ts';
import type { JobIds } from '../../base/job-ids.ts';
import { once } from '../../base/requests.ts';
import type { Random, Timers } from '../../ports/ports.ts';
import type { RequestKey, Store } from '../../ports/store.ts';
import type { ShownStep } from '../../ports/workflows.ts';
import type { WorkflowReader } from '../reads.ts';

const NOT_RUNNING = 'is of a workflow that has not been started, or has ended';

export interface StepSkipsParts {
  readonly store: Pick<Store, 'together' | 'workflows'>;
  readonly reader: Pick<WorkflowReader, 'findStep' | 'list'>;
  readonly ids: JobIds;
  readonly timers: Timers;
  readonly random: Random;
  readonly announcer: Pick<Announcer, 'committed'>;
}

export interface SkipRequest {
  readonly jobId: string;
  readonly name: string;
  readonly reason: string;
}

export class StepSkips {
  readonly #parts: StepSkipsParts;

  constructor(parts: StepSkipsParts) {
    this.#parts = parts;
  }

  /** Throws JOB_NOT_FOUND, NOT_A_WORKFLOW, STEP_NOT_FOUND, STEP_NOT_SKIPPABLE. */
  async skip(namespace: string, skip: SkipRequest, request: RequestKey | undefined): Promise<ShownStep> {
    const { store, reader, announcer } = this.#parts;
    const { jobId, name } = skip;
    const { number, step } = await reader.findStep(namespace, jobId, name);
    try {
      const work = (inner: Pick<Store, 'workflows'>) => this.#notify(inner.workflows, namespace, skip, number, step);
      // Each is a transaction of its own.
      await retryCollisions(this.#parts, async () => {
        if (request) await once(store, namespace, request, work);
        else await store.together(work);
      });
    } catch (error) {
      throw asEngineError(error);
    }
    announcer.committed({ workflows: [jobId] });
    const page = await reader.list(namespace, jobId, { afterStep: number - 1, states: [], limit: 1 });
    return page.steps[0] as ShownStep;
  }

  /** Under the workflow's lock, so that the step can't end meanwhile. */
  async #notify(
    workflows: Store['workflows'],
    namespace: string,
    { jobId, name, reason }: SkipRequest,
    number: number,
    step: WorkflowStep,
  ): Promise<void> {
    const run = await workflows.lockRun(jobId);
    const [row] = run ? await workflows.readSteps([{ jobId, step: number }]) : [];
    const why = run ? whyNotSkippable(step, row?.state ?? 'WAITING', run) : NOT_RUNNING;
    if (why)
      throw new EngineError('STEP_NOT_SKIPPABLE', `step "${name}" of job ${jobId} ${why}`, {
        metadata: { job_id: jobId, step: name },
      });
    await workflows.skipStep({ namespace, jobId, step: number, name, reason, auditId: this.#parts.ids.next() });
  }
}
