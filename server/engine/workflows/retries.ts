/** Manual retries of workflows: their audit records, and the steps that the new workflow skips. */

import type { AuditAction, NewAuditRecord } from '../../domain/namespaces/audit.ts';
import { isRecorded } from '../../domain/namespaces/recorded.ts';
import { newRun } from '../../domain/workflows/phases.ts';
import { skippedManually, whyNotSkippable } from '../../domain/workflows/skip.ts';
import { EngineError } from '../base/errors.ts';
import type { JobIds } from '../base/job-ids.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { EndedJob } from '../ports/jobs.ts';
import type { ManualChange } from '../ports/namespaces.ts';
import type { WorkflowStore } from '../ports/workflows.ts';
import { adoptedSteps } from './adoption.ts';
import { type Body, bodyOf } from './bodies.ts';
import { notAWorkflow, stepNotFound } from './reads.ts';
import { untouched } from './steps/steps.ts';

export interface WorkflowRetriesParts {
  readonly workflows: Pick<WorkflowStore, 'readPastSteps' | 'readCompensationsOf'>;
  readonly definitions: Pick<Definitions, 'get'>;
  readonly ids: JobIds;
}

/** A requested retry. */
export interface AskedRetry {
  /** Names of the steps to skip, without repeats. */
  readonly skipSteps: readonly string[];
  readonly reason: string;
}

export class WorkflowRetries {
  readonly #parts: WorkflowRetriesParts;

  constructor(parts: WorkflowRetriesParts) {
    this.#parts = parts;
  }

  /** Undefined: it retries a task, which needs no record. Throws NOT_A_WORKFLOW, STEP_NOT_FOUND, STEP_NOT_SKIPPABLE. */
  async manual(
    namespace: string,
    job: EndedJob,
    { skipSteps, reason }: AskedRetry,
  ): Promise<((jobId: string) => ManualChange) | undefined> {
    const { definitions, ids } = this.#parts;
    const definition = await definitions.get(namespace, job.definition, job.definitionVersion);
    if (!definition.workflow && skipSteps.length > 0) throw notAWorkflow(job.jobId, job.definition);
    if (!isRecorded(definition)) return undefined;
    const steps = skipSteps.length > 0 ? await this.#skippable(job, bodyOf(definition), skipSteps) : [];
    const why = skippedManually(reason);
    const record = (action: AuditAction, jobId: string, subject: string): NewAuditRecord => {
      return { auditId: ids.next(), action, namespace, jobId, reason, subject };
    };
    return (jobId) => ({
      records: [record('RETRY_JOB', job.jobId, jobId), ...skipSteps.map((name) => record('SKIP_STEP', jobId, name))],
      steps: steps.map((step) => ({ ...untouched, jobId, step, reason: why, skipReason: why })),
    });
  }

  /** Numbers of the steps. An adopted step has succeeded, so it can't be skipped. */
  async #skippable({ jobId, definition }: EndedJob, { graph }: Body, names: readonly string[]): Promise<number[]> {
    const adopted = new Set((await adoptedSteps(this.#parts.workflows, graph, jobId)).map(({ step }) => step));
    return names.map((name, i) => {
      const number = graph.steps.findIndex((step) => step.name === name);
      if (number < 0) throw stepNotFound(jobId, definition, name, `skip_steps[${i}]`);
      const why = adopted.has(number)
        ? 'has succeeded, and the retry takes its result over: leave it out'
        : whyNotSkippable(graph.step(number), 'WAITING', newRun);
      if (!why) return number;
      throw new EngineError('STEP_NOT_SKIPPABLE', `step "${name}" of job ${jobId} ${why}`, {
        metadata: { job_id: jobId, step: name },
      });
    });
  }
}
