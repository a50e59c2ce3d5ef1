/** Checks results of jobs whose definition has an output schema, one by one, before they are accepted. */
import { createHash } from 'node:crypto';
import { type Failure, type Payload, systemFailure } from '../../domain/base/payload.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Completion, UncheckedAttempt } from '../ports/attempts.ts';
import type { SchemaCheck, Schemas } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

export interface ResultChecksParts {
  readonly store: Pick<Store, 'readUnchecked'>;
  readonly lanes: Lanes;
  readonly definitions: Definitions;
  readonly schemas: Schemas;
}

/** A checked result: valid if it has no failure. */
export interface CheckedResult {
  readonly completion: Completion;
  readonly failure: Failure | undefined;
}

const EMPTY = new Uint8Array();

/** Identifies a refused result, to recognize its repeats; stored with the failure. */
export function resultHash(result: Payload): string {
  return createHash('sha256').update(`${result.contentType}\n`).update(result.data).digest('hex');
}

function violation(result: Payload, version: number, fault: string): Failure {
  const message = `the result does not fit the schema of version ${version}: ${fault}`;
  const details = { data: EMPTY, contentType: '', metadata: { result_sha256: resultHash(result) } };
  return { ...systemFailure('APPLICATION', 'OutputSchemaViolation', message), details };
}

export class ResultChecks {
  readonly #parts: ResultChecksParts;

  constructor(parts: ResultChecksParts) {
    this.#parts = parts;
  }

  /**
   * Checks those that are open and were not completed because they need a check. At most one completion per attempt.
   */
  async check(completions: readonly Completion[]): Promise<CheckedResult[]> {
    const unchecked = await this.#parts.store.readUnchecked(completions);
    if (unchecked.length === 0) return [];
    const byJob = new Map(completions.map((completion) => [keyOf(completion), completion]));
    await this.#parts.lanes.load(unchecked.map(({ laneId }) => laneId));
    // One call each, so that slow checks do not add up to a call that times out again and again.
    return Promise.all(
      unchecked.flatMap((attempt) => {
        const completion = byJob.get(keyOf(attempt));
        return completion ? [this.#checkOne(completion, attempt)] : [];
      }),
    );
  }

  async #checkOne(completion: Completion, { laneId }: UncheckedAttempt): Promise<CheckedResult> {
    const lane = this.#parts.lanes.get(laneId);
    if (!lane) throw new Error(`lane ${laneId} of an open job does not exist`);
    const { namespace, definition: name, definitionVersion } = lane;
    const { outputSchema: schema } = await this.#parts.definitions.get(namespace, name, definitionVersion);
    const check: SchemaCheck | undefined = schema && { schema, payload: completion.result };
    const [fault] = check ? await this.#parts.schemas.validate([check]) : [];
    const failure = fault === undefined ? undefined : violation(completion.result, definitionVersion, fault);
    return { completion, failure };
  }
}

function keyOf({ jobId, attempt }: { readonly jobId: string; readonly attempt: number }): string {
  return `${jobId}/${attempt}`;
}
