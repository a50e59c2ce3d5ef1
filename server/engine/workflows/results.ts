/** Checks results of workflows, by the same rules as results of handlers. */
import { type Failure, type Payload, systemFailure } from '../../domain/base/payload.ts';
import type { WorkflowOutcome } from '../../domain/workflows/life.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { KnownLane } from '../dispatch/known-lane.ts';
import type { Schemas } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

export interface ResultsParts {
  readonly definitions: Definitions;
  readonly schemas: Schemas;
  readonly maxPayload: number;
}

/** Why a payload made by the control plane is too large to pass on; undefined: it is not. */
export function tooLarge({ data }: Payload, maxPayload: number): string | undefined {
  if (data.length <= maxPayload) return undefined;
  return `is ${data.length} bytes; at most ${maxPayload} are allowed. Keep large data elsewhere and pass a reference`;
}

export class Results {
  readonly #parts: ResultsParts;

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  /** The outcome, or a failure if its result is not valid. */
  async judge(
    store: Pick<Store, 'readDefinition'>,
    lane: KnownLane,
    outcome: WorkflowOutcome,
  ): Promise<WorkflowOutcome> {
    if (outcome.state !== 'SUCCEEDED') return outcome;
    const failure = await this.#faultOf(store, lane, outcome.result);
    return failure ? { state: 'FAILED', failure } : outcome;
  }

  async #faultOf(
    store: Pick<Store, 'readDefinition'>,
    { namespace, definition: name, definitionVersion: version }: KnownLane,
    result: Payload,
  ): Promise<Failure | undefined> {
    const { definitions, schemas, maxPayload } = this.#parts;
    const size = tooLarge(result, maxPayload);
    if (size) return systemFailure('APPLICATION', 'OutputTooLarge', `its output ${size}`);
    const known = definitions.known(namespace, name, version);
    const definition = known ?? (await definitions.readWithin(store, namespace, name, version));
    const schema = definition?.outputSchema;
    const [fault] = schema ? await schemas.validate([{ schema, payload: result }]) : [];
    if (fault === undefined) return undefined;
    const message = `the result does not fit the schema of version ${version}: ${fault}`;
    return systemFailure('APPLICATION', 'OutputSchemaViolation', message);
  }
}
