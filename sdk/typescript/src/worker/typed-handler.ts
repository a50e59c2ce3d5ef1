/** Handlers of typed jobs: their inputs and results are checked and transformed in the worker. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { TypedJob } from '../typed/typed-job.ts';
import { check, issuesText } from '../typed/validation.ts';
import type { HandlerFunction, JobContext, VersionedHandler } from './handler.ts';
import { handlerFunction, NonRetryableError } from './handler.ts';

/** Runs one attempt of a typed job; like `HandlerFunction`, with types. */
export type TypedHandler<Input, Output> = (context: JobContext, input: Input) => Output | Promise<Output>;

/** A typed handler, of all versions or of some. */
export type HandlerOf<Input, Output> = TypedHandler<Input, Output> | VersionedHandler<TypedHandler<Input, Output>>;

/** A result that does not fit the schema, as the control plane calls it too: retry rules can match the name. */
class OutputSchemaViolation extends Error {
  override readonly name = 'OutputSchemaViolation';
}

/** Name of the handler that runs the job. @throws TypeError when no handler runs it. */
export function handlerName({ name, definition }: TypedJob): string {
  const { body } = definition;
  if (body?.case === undefined) return name;
  if (body.case === 'task') return body.value.handler || name;
  throw new TypeError(`handle: "${name}" is a ${body.case}, which no handler runs: give a job that is a task`);
}

/**
 * The handler that `Worker.handle` makes of a typed job's: it checks and transforms the input and the result.
 *
 * @throws TypeError when `handler` holds no function, or has an unknown field.
 */
export function checkedHandler<Input, Output>(
  { name, input, output }: TypedJob<unknown, unknown, Input, Output>,
  handler: HandlerOf<NoInfer<Input>, NoInfer<Output>>,
): VersionedHandler {
  const run = handlerFunction(handler, `handle: ${name}`);
  const versions = typeof handler === 'function' ? {} : handler;
  if (input === undefined && output === undefined) return { ...versions, run };
  const checked: HandlerFunction = async (context, given: unknown) => {
    const taken = await check(input, given);
    if (taken.issues) throw new NonRetryableError(`the input of ${name} does not fit its schema: ${textOf(taken)}`);
    const made = await check(output, await run(context, taken.value));
    if (made.issues) throw new OutputSchemaViolation(`the result of ${name} does not fit its schema: ${textOf(made)}`);
    return made.value;
  };
  return { ...versions, run: checked };
}

function textOf({ issues }: StandardSchemaV1.FailureResult): string {
  return issuesText(issues);
}
