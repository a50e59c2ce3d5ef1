/** The parts that all calls of a client share: connection, namespace, deadlines and retries. */
import type { Client as GrpcClient } from '@grpc/grpc-js';
import { Code, MusterError } from '../error.ts';
import { namesSeveral, openChannel } from '../transport/channel.ts';
import type { CallOptions } from '../transport/unary-client.ts';
import type { TransportRetry } from './transport-retry.ts';
import { DEFAULT_RETRY, withRetry } from './transport-retry.ts';

/** Address of the control plane, and defaults of all calls. */
export interface ClientOptions {
  /** gRPC target of the control plane, such as `localhost:7070` or `dns:///muster:7070`. */
  readonly address: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Maximum duration of a call in milliseconds, retries included. Default: 15,000. */
  readonly timeoutMs?: number;
  /** How calls are retried while the control plane is unreachable. */
  readonly retry?: Partial<TransportRetry>;
}

/** Options of every call. */
export interface RequestOptions {
  /** Replaces the client's `timeoutMs` for this call. */
  readonly timeoutMs?: number;
  /** Ends the call early with CANCELLED. */
  readonly signal?: AbortSignal;
  /** UUID that makes retries of this call idempotent, also after a restart of this process. Default: a new one. */
  readonly requestId?: string;
}

/** Selects a page of a list. */
export interface PageOptions {
  /** Items per page, at most 1,000. Default: 50. */
  readonly pageSize?: number;
  /** `nextPageToken` of the previous page. Default: the first page. */
  readonly pageToken?: string;
}

export class Calls {
  readonly address: string;
  readonly channel: GrpcClient;
  readonly namespace: string;
  readonly retry: TransportRetry;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    this.address = options.address;
    this.channel = openChannel(options.address);
    this.namespace = options.namespace ?? '';
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#timeoutMs = options.timeoutMs ?? 15_000;
  }

  make<T>(options: RequestOptions, call: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const budget = { timeoutMs, signal, isShared: namesSeveral(this.address) };
    return withRetry(this.retry, budget, (left) => call({ timeoutMs: left, signal }));
  }
}

export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new MusterError({ code: Code.INTERNAL, message: `the reply names no ${what}` });
  return value;
}
