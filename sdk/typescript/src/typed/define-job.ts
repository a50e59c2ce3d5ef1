/** `defineJob`: a definition with the types of its input and its result. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DefinitionOptions } from '../client/definition.ts';
import { refuseUnknownDefinition } from '../client/definition.ts';
import { jsonSchemaText } from './json-schema.ts';
import type { TypedJob } from './typed-job.ts';

/** A definition with schemas: any Standard Schema, such as those of zod, valibot and arktype. */
export type TypedJobInit<Input, Output> = DefinitionOptions & {
  readonly name: string;
  /** Checks inputs: at the submission, and in the worker, whose handler gets the transformed value. Default: none. */
  readonly input?: Input;
  /** Checks results in the worker, which reports the transformed value. Default: none. */
  readonly output?: Output;
};

// biome-ignore lint/suspicious/noExplicitAny: without a schema the handler declares the type of its input.
type AnyInput = StandardSchemaV1<unknown, any>;

/**
 * Makes a job with types. It is stored by `Client.applyDefinition`, or by a worker that has it among its `definitions`.
 *
 * The JSON Schemas of the definition come from the schemas, if their library offers them (zod and arktype do). An
 * `inputJsonSchema` or `outputJsonSchema` takes precedence; `''` leaves the check to clients and workers with this job.
 * Without schemas you may give the types instead: `defineJob<Order, Receipt>({ name: 'charge' })`.
 *
 * @throws TypeError when an option is unknown, or a schema has no JSON Schema and none is given.
 */
export function defineJob<
  Input extends StandardSchemaV1 = AnyInput,
  Output extends StandardSchemaV1 = StandardSchemaV1,
>(
  init: TypedJobInit<Input, Output>,
): TypedJob<
  StandardSchemaV1.InferInput<Input>,
  StandardSchemaV1.InferOutput<Output>,
  StandardSchemaV1.InferOutput<Input>,
  StandardSchemaV1.InferInput<Output>
>;
export function defineJob<Input, Output = unknown>(
  init: TypedJobInit<never, never>,
): TypedJob<Input, Output, Input, Output>;
export function defineJob(init: TypedJobInit<StandardSchemaV1, StandardSchemaV1>): TypedJob {
  const { input, output, ...definition } = init;
  const { name } = definition;
  refuseUnknownDefinition('defineJob', init, { input: true, output: true });
  const needsInput = definition.inputJsonSchema === undefined && definition.inputProtobufSchema === undefined;
  const needsOutput = definition.outputJsonSchema === undefined && definition.outputProtobufSchema === undefined;
  const schemas = {
    ...(input && needsInput ? { inputJsonSchema: jsonSchemaText(name, 'input', input) } : {}),
    ...(output && needsOutput ? { outputJsonSchema: jsonSchemaText(name, 'output', output) } : {}),
  };
  return Object.freeze({ name, definition: { ...definition, ...schemas }, input, output });
}
