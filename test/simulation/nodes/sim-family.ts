/** The part of a handler that submits children and waits for them, with the SDK's own code, over simulated calls. */
import { create, type DescMethodUnary, type MessageShape } from '@bufbuild/protobuf';
import type { Job } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import {
  GetJobRequestSchema,
  JobService,
  SubmitJobRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_service_pb.ts';
import { uuidToBytes } from '../../../sdk/typescript/src/uuid.ts';
import { type ChildApi, Children, WaitsForChildren } from '../../../sdk/typescript/src/worker/children.ts';
import type { HandlerOutcome } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';
import type { Rpc } from '../network/sim-rpc.ts';
import type { ChildScript, HandlerScript } from './handler-script.ts';
import { isUnknown } from './sim-caller.ts';

const { submitJob, getJob } = JobService.method;
const TIMEOUT_MS = 3_000;
/** A handler does not retry forever. */
const MAX_TRIES = 12;

export interface FamilyParts {
  readonly rpc: Rpc;
  readonly process: Process;
  readonly history: History;
}

/** Identifies one attempt. */
export interface ParentKey {
  readonly job: string;
  readonly attempt: number;
  readonly session: string;
}

class SimChildCalls implements ChildApi {
  readonly sessionId: string;
  readonly #parts: FamilyParts;

  constructor(parts: FamilyParts, sessionId: string) {
    this.#parts = parts;
    this.sessionId = sessionId;
  }

  async submit(request: Parameters<ChildApi['submit']>[0]): Promise<{ jobId: string }> {
    const { jobId } = await this.#insist(submitJob, create(SubmitJobRequestSchema, request));
    return { jobId };
  }

  async get(jobId: string): Promise<Job> {
    return (await this.#insist(getJob, create(GetJobRequestSchema, { jobId }))).job as Job;
  }

  async #insist<M extends DescMethodUnary>(
    method: M,
    request: MessageShape<M['input']>,
  ): Promise<MessageShape<M['output']>> {
    const { rpc, process } = this.#parts;
    for (let tries = 1; ; tries++) {
      try {
        return await rpc.call(process, method, request, TIMEOUT_MS);
      } catch (error) {
        if (!isUnknown(error) || tries === MAX_TRIES) throw error;
        const ms = Math.min(1_000, 30 * 2 ** tries) * process.random.between(0.5, 1);
        await new Promise<void>((resolve) => process.after(ms, resolve));
      }
    }
  }
}

/** Undefined: it has seen all awaited ends. `isOver`: the handler's outcome is no longer used. */
export async function raise(
  parts: FamilyParts,
  parent: ParentKey,
  { family = [] }: HandlerScript,
  isOver: () => boolean,
): Promise<HandlerOutcome | undefined> {
  const { job: jobId, attempt, session } = parent;
  const { history, process } = parts;
  const children = new Children(new SimChildCalls(parts, session), { jobId, attempt });
  try {
    for (const group of family) {
      const awaited: { jobId: string }[] = [];
      for (const child of group) {
        if (isOver()) return undefined;
        const made = await children.submit(child.definition, child.script, optionsOf(child));
        history.log(process.name, 'child told', { ...parent, owner: child.script.owner, child: made.jobId });
        if (child.isAwaited) awaited.push(made);
      }
      const jobs = await children.ended(awaited);
      const ends = jobs.map((job) => `${job.jobId}=${job.state}`).join();
      history.log(process.name, 'children seen', { ...parent, ends });
    }
    return undefined;
  } catch (error) {
    if (error instanceof WaitsForChildren) return { kind: 'suspended', childIds: error.childIds.map(uuidToBytes) };
    throw error;
  }
}

function optionsOf({ key, delayMs, detached }: ChildScript) {
  return {
    detached,
    ...(key === undefined ? {} : { key }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}
