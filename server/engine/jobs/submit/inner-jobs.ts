/**
 * Makes jobs within an open transaction: steps of workflows, callbacks of batches. What is not cached is read through
 * that transaction.
 */
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { type Sampling, spanContext, traceparentOf } from '../../../domain/events/trace.ts';
import type { DbClock } from '../../base/db-clock.ts';
import { EngineError } from '../../base/errors.ts';
import type { JobIds } from '../../base/job-ids.ts';
import type { Definitions } from '../../definitions/definitions.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { Schemas } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import type { NewJob, Submission } from '../../ports/submissions.ts';
import type { LockedWorkflow } from '../../ports/workflows.ts';
import { refuseBadInputs } from './input-checks.ts';
import { JobKeysOf } from './job-keys.ts';
import { laneOf, newJob } from './new-jobs.ts';

export interface InnerJobsParts {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly clock: DbClock;
  readonly schemas: Schemas;
  /** Undefined: the control plane adds no spans of its own to the jobs' traces. */
  readonly sampling?: Sampling | undefined;
}

export type InnerStore = Pick<Store, 'readDefinition' | 'ensureLane'>;

/** Why such a job can't be made. */
export class NoJob extends Error {}

const refusals: ReadonlySet<string> = new Set(['INPUT_SCHEMA_VIOLATED', 'INVALID_FIELD']);

export class InnerJobs {
  readonly #parts: InnerJobsParts;
  readonly #keys = new JobKeysOf();

  constructor(parts: InnerJobsParts) {
    this.#parts = parts;
  }

  /** A definition that takes new jobs. Version 0 is the one that a new job without labels takes. Throws NoJob. */
  async definition(store: InnerStore, namespace: string, name: string, version: number): Promise<JobDefinition> {
    const { definitions } = this.#parts;
    const found =
      definitions.known(namespace, name, version) ?? (await definitions.readWithin(store, namespace, name, version));
    if (!found) throw new NoJob(`namespace ${namespace} has no definition ${name}`);
    if (found.archiveTimeUs !== undefined) throw new NoJob(`definition ${name} is archived and takes no new jobs`);
    return found;
  }

  /** `what` names the job in errors. Throws NoJob. */
  async make(
    store: InnerStore,
    namespace: string,
    definition: JobDefinition,
    submission: Submission,
    what: string,
  ): Promise<NewJob> {
    const { schemas, lanes } = this.#parts;
    const { inputSchema: schema } = definition;
    try {
      if (schema) await refuseBadInputs(schemas, [{ schema, payload: submission.input, field: 'input' }]);
      const keys = this.#keys.of(submission, definition, what);
      const lane = laneOf(namespace, submission, definition);
      // A lane made here is not cached before it is loaded: the transaction may be rolled back, and the lane with it.
      const laneId = lanes.known(lane.key) ?? (await store.ensureLane(lane.key, lane.breaker));
      return newJob(this.#parts, submission, definition, { ...lane, laneId }, keys);
    } catch (error) {
      if (error instanceof EngineError && refusals.has(error.reason)) throw new NoJob(error.message);
      throw error;
    }
  }

  /** The trace context of a job that belongs to this workflow: under its span. */
  traceUnder({ jobId, traceparent, tracestate }: LockedWorkflow): Pick<Submission, 'traceparent' | 'tracestate'> {
    const { sampling } = this.#parts;
    if (!sampling) return { traceparent, tracestate };
    return { traceparent: traceparentOf(spanContext({ jobId, traceparent }, 0, 'job', sampling)), tracestate };
  }
}
