/** Makes callback jobs of batches, in the transaction that ends the batch. */

import type { Payload } from '../../domain/base/payload.ts';
import { type BatchProgress, countsOf } from '../../domain/batches/batch.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import { InnerJobs, type InnerJobsParts, type InnerStore, NoJob } from '../jobs/submit/inner-jobs.ts';
import type { ScheduledJob } from '../ports/schedules.ts';
import type { NewJob, Submission } from '../ports/submissions.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';

/** The batch's data for a callback. */
export interface EndedBatch extends Pick<BatchProgress, 'ended' | 'skippedByReason'> {
  readonly jobId: string;
  readonly state: WorkflowOutcome['state'];
  readonly members: number;
}

/** The callback's own input, an object or empty, extended by the batch's data. */
export function callbackInput({ input }: ScheduledJob, { jobId, state, members, ...progress }: EndedBatch): Payload {
  const added = JSON.stringify({ batch: jobId, state, counts: countsOf(members, progress) });
  // Joined as text: parsing would round numbers of the input beyond double precision.
  const own = new TextDecoder().decode(input.data).trim().slice(1, -1).trim();
  const data = new TextEncoder().encode(own === '' ? added : `{${own},${added.slice(1)}`);
  return { data, contentType: 'application/json', metadata: input.metadata };
}

export function callbackSubmission(callback: ScheduledJob, ended: EndedBatch): Submission {
  return {
    ...callback,
    input: callbackInput(callback, ended),
    idempotencyKey: '',
    conflictPolicy: 'USE_EXISTING',
    traceparent: '',
    tracestate: '',
  };
}

export class Callbacks {
  readonly #jobs: InnerJobs;

  constructor(parts: InnerJobsParts) {
    this.#jobs = new InnerJobs(parts);
  }

  /** A string is the reason why no job can be made. */
  async make(
    store: InnerStore,
    namespace: string,
    batch: LockedWorkflow,
    callback: ScheduledJob,
    ended: EndedBatch,
  ): Promise<NewJob | string> {
    try {
      const definition = await this.#jobs.definition(store, namespace, callback.definition, callback.definitionVersion);
      const submission = { ...callbackSubmission(callback, ended), ...this.#jobs.traceUnder(batch) };
      return await this.#jobs.make(store, namespace, definition, submission, 'callback');
    } catch (error) {
      if (error instanceof NoJob) return error.message;
      throw error;
    }
  }
}
