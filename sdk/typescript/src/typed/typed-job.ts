/** Jobs whose input and result have types. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DefinitionInit } from '../client/definition.ts';

/**
 * A definition whose input and result have types; `defineJob` makes it.
 *
 * `Input` is what a caller gives, `HandlerInput` what the handler gets: the input after the schema's transforms.
 * `HandlerOutput` is what the handler returns, `Output` the job's result: that value after the schema's transforms.
 */
export interface TypedJob<Input = unknown, Output = unknown, HandlerInput = unknown, HandlerOutput = unknown> {
  /** Name of the definition. */
  readonly name: string;
  /** The definition, with the JSON Schemas of input and result. */
  readonly definition: DefinitionInit;
  /** Checks inputs. `undefined`: any input. */
  readonly input: StandardSchemaV1<Input, HandlerInput> | undefined;
  /** Checks results. `undefined`: any result. */
  readonly output: StandardSchemaV1<HandlerOutput, Output> | undefined;
}

/** Type of a typed job's result. */
export type OutputOf<Job extends TypedJob> = Job extends TypedJob<unknown, infer Output> ? Output : never;

/** A reference to a job whose type of result is known. The mark is for the type checker: no such field exists. */
export interface TypedRef<Output = unknown> {
  readonly jobId: string;
  readonly '~output': { readonly type: Output } | undefined;
}

/** The mark of `TypedRef`, unless the type of the result is not known. */
export type WithOutput<Output> = unknown extends Output ? unknown : Pick<TypedRef<Output>, '~output'>;

/** Types of the results of these jobs. */
export type OutputsOf<Refs extends readonly TypedRef[]> = {
  -readonly [K in keyof Refs]: Refs[K] extends TypedRef<infer Output> ? Output : never;
};

/** The arguments after a typed job. The input may be left out if the job needs none. */
export type InputArguments<Input, Options> = undefined extends Input
  ? [input?: NoInfer<Input>, options?: Options]
  : [input: NoInfer<Input>, options?: Options];

/** The field `input` of a request. It may be left out if the job needs none. */
export type InputField<Input> = undefined extends Input ? { readonly input?: Input } : { readonly input: Input };

export function isTypedJob(value: object): value is TypedJob {
  return 'definition' in value && typeof value.definition === 'object';
}
