/**
 * Unary calls between simulated processes: encoded, lost, late, duplicated, timed out; errors in the product's own
 * form.
 */
import type { DescMethodUnary, MessageShape } from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, MusterError } from '../../../sdk/typescript/src/error.ts';
import { musterError } from '../../../sdk/typescript/src/transport/status-details.ts';
import { type RpcStatus, statusOf } from '../../../server/api/base/status.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { Conditions } from '../core/conditions.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';

/** One life of a replica, as callers see it. */
export interface Server {
  readonly process: Process;
  readonly accepting: boolean;
  /** @throws whatever the handler throws. */
  handle(path: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

export interface RpcParts {
  readonly world: World;
  readonly conditions: Conditions;
  readonly history: History;
  readonly random: Prng;
  /** The current servers, and their full number. */
  readonly servers: () => { readonly up: readonly Server[]; readonly slots: number };
}

interface Call {
  readonly caller: Process;
  readonly path: string;
  readonly body: Uint8Array;
  readonly abort: AbortController;
  settle(answer: Uint8Array | MusterError): void;
}

export class Rpc {
  readonly #parts: RpcParts;
  readonly #open = new Map<Server, Set<Call>>();

  constructor(parts: RpcParts) {
    this.#parts = parts;
  }

  /** Rejects with a MusterError, at the latest after `timeoutMs` of the caller's clock. */
  call<M extends DescMethodUnary>(
    caller: Process,
    method: M,
    request: MessageShape<M['input']>,
    timeoutMs: number,
  ): Promise<MessageShape<M['output']>> {
    const { conditions, world, history } = this.#parts;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (answer: Uint8Array | MusterError) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        if (answer instanceof MusterError) reject(answer);
        else resolve(fromBinary(method.output, answer) as MessageShape<M['output']>);
      };
      const abort = new AbortController();
      const timer = caller.after(timeoutMs, () => {
        history.count('call timed out');
        abort.abort();
        settle(failure(Code.DEADLINE_EXCEEDED, 'the deadline passed'));
      });
      const path = `${method.parent.typeName}/${method.localName}`;
      const call = { caller, path, body: toBinary(method.input, request), abort, settle };
      const server = this.#choose();
      const arrivals = conditions.cutRequests.has(caller.slot) ? [] : conditions.message();
      if (arrivals.length === 0) history.count('request lost');
      if (arrivals.length > 1) history.count('request doubled');
      for (const ms of arrivals) world.after(ms, () => this.#arrive(call, server));
    });
  }

  /** The server died: most of its callers see the connection break, the others get no answer. */
  died(server: Server): void {
    const { random, world } = this.#parts;
    for (const call of this.#open.get(server) ?? []) {
      if (random.chance(0.7)) world.after(random.between(0.1, 20), () => this.#refuse(call));
    }
    this.#open.delete(server);
  }

  /** As a load balancer does: mostly a live server. */
  #choose(): Server | undefined {
    const { random, servers } = this.#parts;
    const { up, slots } = servers();
    if (up.length === 0 || (up.length < slots && random.chance(0.1))) return undefined;
    return random.pick(up);
  }

  #refuse(call: Call): void {
    call.caller.deliver(() => call.settle(failure(Code.UNAVAILABLE, 'no connection')));
  }

  #arrive(call: Call, server: Server | undefined): void {
    if (!server?.accepting || !server.process.alive) this.#refuse(call);
    else server.process.deliver(() => void this.#serve(call, server));
  }

  async #serve(call: Call, server: Server): Promise<void> {
    const open = this.#open.get(server) ?? new Set();
    this.#open.set(server, open.add(call));
    const answer = await server
      .handle(call.path, call.body, call.abort.signal)
      .catch((error: unknown) => this.#errorOf(call, error));
    open.delete(call);
    if (server.process.alive) this.#reply(call, answer);
  }

  #reply(call: Call, answer: Uint8Array | MusterError): void {
    const { conditions, world, history } = this.#parts;
    const [ms] = conditions.cutReplies.has(call.caller.slot) ? [] : conditions.message();
    if (ms === undefined) history.count('reply lost');
    else world.after(ms, () => call.caller.deliver(() => call.settle(answer)));
  }

  /** The error after the product's encoding and decoding. */
  #errorOf(call: Call, error: unknown): MusterError {
    const status: RpcStatus = statusOf(error);
    const { history } = this.#parts;
    if (status.fault)
      history.violate('no internal errors', `${call.path}: ${(error as Error)?.stack ?? String(error)}`);
    const metadata = { get: () => [status.details] };
    return musterError({
      code: status.code,
      details: status.message,
      message: status.message,
      name: '',
      metadata,
    } as never);
  }
}

function failure(code: number, message: string): MusterError {
  return new MusterError({ code, message });
}
