/** The jobs that are made when batches end, within the transaction that ends them. */

import type { Payload } from '../../domain/base/payload.ts';
import { type BatchProgress, countsOf } from '../../domain/batches/batch.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import { InnerJobs, type InnerJobsParts, type InnerStore, NoJob } from '../jobs/submit/inner-jobs.ts';
import type { ScheduledJob } from '../ports/schedules.ts';
import type { NewJob, Submission } from '../ports/submissions.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';

/** What a callback is told of its batch. */
export interface EndedBatch extends Pick<BatchProgress, 'ended' | 'notRetried'> {
  readonly jobId: string;
  readonly state: WorkflowOutcome['state'];
  readonly members: number;
}

/** The callback's own input, an object or nothing, with what is said of the batch behind it. */
export function callbackInput({ input }: ScheduledJob, { jobId, state, members, ...progress }: EndedBatch): Payload {
  const added = JSON.stringify({ batch: jobId, state, counts: countsOf(members, progress) });
  // Put together as text: numbers of its own may be longer than ours are exact.
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

  /** A text: why there can be no such job. */
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
