/** The API's own handlers, called in this process: their refusals are those of a real server. */
import { create, type DescMethodUnary, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { statusOf } from '../../api/base/status.ts';
import { services } from '../../api/service.ts';
import type { Replica } from '../../engine/replica.ts';

/** A refused call. */
export class CallRefusal extends Error {
  readonly reason: string;
  readonly violations: BadRequest['fieldViolations'];

  constructor(error: unknown) {
    const { message, parts, fault } = statusOf(error);
    // An unexpected error is passed on completely: there is no server with a log.
    super(fault ? String((fault.error as Error)?.stack ?? fault.error) : message, { cause: error });
    const partOf = <T>(schema: unknown) => parts.find(({ desc }) => desc === schema)?.value as T | undefined;
    this.reason = partOf<ErrorInfo>(ErrorInfoSchema)?.reason ?? '';
    this.violations = partOf<BadRequest>(BadRequestSchema)?.fieldViolations ?? [];
  }
}

export class Calls {
  readonly #bindings: ReturnType<typeof services>;
  readonly #signal = new AbortController().signal;

  constructor(replica: Replica) {
    this.#bindings = services(replica);
  }

  /** @throws CallRefusal */
  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
  ): Promise<MessageShape<M['output']>> {
    const binding = this.#bindings.find(({ service }) => service === method.parent);
    const handler = binding?.handlers[method.localName];
    if (!handler) throw new Error(`there is no ${method.name}`);
    const context = { signal: this.#signal, body: new Uint8Array(), header: () => '' };
    try {
      return (await handler(create(method.input, request), context)) as MessageShape<M['output']>;
    } catch (error) {
      throw new CallRefusal(error);
    }
  }
}
