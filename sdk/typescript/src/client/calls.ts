/** The parts that all calls of a client share: connection, namespace, deadlines and retries. */
import { Code, MusterError } from '../error.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import type { CallOptions, Channel, OpenChannel } from '../transport/channel.ts';
import type { TransportRetry } from './transport-retry.ts';
import { DEFAULT_RETRY, transportRetry, withRetry } from './transport-retry.ts';

/** Address of the control plane, and defaults of all calls. */
export interface ClientOptions {
  /**
   * gRPC target of the control plane, such as `localhost:7070` or `dns:///muster:7070`. For the client of
   * `@muster-jobs/sdk/web`: URL of the HTTP port, such as `http://localhost:7080`.
   */
  readonly address: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Maximum duration of a call in milliseconds, retries included. Default: 15,000. */
  readonly timeoutMs?: number;
  /** How calls are retried while the control plane is unreachable. */
  readonly retry?: Partial<TransportRetry>;
}

const clientOptions: Known<ClientOptions> = { address: true, namespace: true, timeoutMs: true, retry: true };

/** Options of every call. */
export interface RequestOptions {
  /** Replaces the client's `timeoutMs` for this call. */
  readonly timeoutMs?: number;
  /** Ends the call early with CANCELLED. */
  readonly signal?: AbortSignal;
  /** UUID that makes retries of this call idempotent, also after a restart of this process. Default: a new one. */
  readonly requestId?: string;
}

export const requestOptions: Known<RequestOptions> = { timeoutMs: true, signal: true, requestId: true };

/** Selects a page of a list. */
export interface PageOptions {
  /** Items per page, at most 1,000. Default: 50. */
  readonly pageSize?: number;
  /** `nextPageToken` of the previous page. Default: the first page. */
  readonly pageToken?: string;
}

export const pageOptions: Known<PageOptions> = { pageSize: true, pageToken: true };

export class Calls {
  readonly channel: Channel;
  readonly namespace: string;
  readonly retry: TransportRetry;
  readonly #timeoutMs: number;

  /** @throws TypeError when an option is unknown. */
  constructor(options: ClientOptions, open: OpenChannel) {
    refuseUnknownOptions('new Client', options, clientOptions);
    refuseUnknownOptions('new Client: retry', options.retry ?? {}, transportRetry);
    this.channel = open(options.address);
    this.namespace = options.namespace ?? '';
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#timeoutMs = options.timeoutMs ?? 15_000;
  }

  /**
   * Makes a call with its retries.
   *
   * @param name Name of the client's method, for errors.
   * @param known Names of the method's options, if it has more than `RequestOptions`.
   * @throws TypeError when an option is unknown; then nothing is sent.
   */
  async make<T>(
    name: string,
    options: RequestOptions,
    call: (options: CallOptions) => Promise<T>,
    known: Readonly<Record<string, true>> = requestOptions,
  ): Promise<T> {
    refuseUnknownOptions(name, options, known);
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const budget = { timeoutMs, signal, isShared: this.channel.namesSeveral };
    return withRetry(this.retry, budget, (left) => call({ timeoutMs: left, signal }));
  }

  /** The part of a request that selects a page. @throws TypeError when `page` has an unknown name. */
  page<P extends PageOptions>(
    name: string,
    page: P,
    known: Readonly<Record<string, true>> = pageOptions,
  ): P & { readonly namespace: string } {
    refuseUnknownOptions(name, page, known);
    return { namespace: this.namespace, ...page };
  }
}

export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new MusterError({ code: Code.INTERNAL, message: `the reply names no ${what}` });
  return value;
}
