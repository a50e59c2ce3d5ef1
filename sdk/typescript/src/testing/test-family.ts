/** Runs children, and their children, as the test's options say. */
import { durationToMs } from '../duration.ts';
import { Code, MusterError } from '../error.ts';
import type { JobSubmission } from '../gen/muster/v1/job_pb.ts';
import type { StopReason } from '../worker/core/base/ports.ts';
import type { HandlerFunction, VersionedHandler } from '../worker/handler.ts';
import { handlerFunction } from '../worker/handler.ts';
import type { ChildRunner } from './detached-children.ts';
import { DetachedChildren } from './detached-children.ts';
import { DetachedRuns } from './detached-runs.ts';
import type { HandlerOptions, TestChild } from './handler-options.ts';
import { assignmentOf, maxPayloadOf } from './handler-options.ts';

/** Maximum nesting of jobs, as on the control plane. */
const MAX_DEPTH = 16;

export interface Member {
  readonly runs: DetachedRuns;
  readonly children: DetachedChildren;
}

/** Starts the handler of a job. It has been entered when this returns. */
export function startMember(
  handler: HandlerFunction | VersionedHandler,
  input: unknown,
  options: HandlerOptions,
  stopped: StopReason | undefined,
  depth = 1,
): Member {
  const children = new DetachedChildren(new Family(options, depth));
  const assignment = assignmentOf(options, input);
  const context = {
    assignment,
    handler: handlerFunction(handler),
    children,
    maxPayload: maxPayloadOf(options),
    stopped,
  };
  return { runs: new DetachedRuns(context), children };
}

class Family implements ChildRunner {
  readonly #options: HandlerOptions;
  readonly #depth: number;

  constructor(options: HandlerOptions, depth: number) {
    this.#options = options;
    this.#depth = depth;
  }

  accept(definition: string): void {
    if (this.#of(definition) === undefined)
      throw new MusterError({
        code: Code.NOT_FOUND,
        message: `the test does not say what children of the definition ${definition} give: name it in "children"`,
        reason: 'DEFINITION_NOT_FOUND',
      });
    if (this.#depth >= MAX_DEPTH)
      throw new MusterError({
        code: Code.FAILED_PRECONDITION,
        message: `children would be nested more than ${MAX_DEPTH} deep`,
        reason: 'WORKFLOW_NESTING',
      });
  }

  start(jobId: string, { definition, definitionVersion, input, runTimeout }: JobSubmission): DetachedRuns | undefined {
    const child = this.#of(definition);
    if (child === undefined || child === 'open') return undefined;
    const { namespace = 'default', children = {} } = this.#options;
    const options: HandlerOptions = {
      jobId,
      namespace,
      definition,
      definitionVersion: definitionVersion || 1,
      maxPayload: maxPayloadOf(this.#options),
      children,
      ...(runTimeout && { runTimeoutMs: durationToMs(runTimeout, 0) }),
    };
    return startMember(child, input, options, undefined, this.#depth + 1).runs;
  }

  #of(definition: string): TestChild | undefined {
    const { children = {} } = this.#options;
    return Object.hasOwn(children, definition) ? children[definition] : undefined;
  }
}
