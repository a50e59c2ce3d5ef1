/** The official clients for browsers and curl: Connect in JSON and in binary, and gRPC-Web. */

import { inspect } from 'node:util';
import type {
  DescMessage,
  DescMethod,
  DescMethodStreaming,
  DescMethodUnary,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { ConnectError, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';

export const dialects = ['Connect JSON', 'Connect binary', 'gRPC-Web', 'gRPC-Web JSON'] as const;
export type Dialect = (typeof dialects)[number];

/** A refused call, with the same fields as that of the gRPC port. */
export class WebRefusal extends Error {
  readonly code: number;
  readonly #error: ConnectError;

  constructor(error: ConnectError) {
    super(error.rawMessage);
    this.code = error.code;
    this.#error = error;
  }

  get info(): ErrorInfo | undefined {
    return this.#error.findDetails(ErrorInfoSchema)[0];
  }

  get reason(): string {
    return this.info?.reason ?? '';
  }

  /** Paths of the fields that BadRequest names. */
  get fields(): string[] {
    return this.#error.findDetails(BadRequestSchema).flatMap((one) => one.fieldViolations.map(({ field }) => field));
  }

  get preconditions(): string[] {
    return this.#error.findDetails(PreconditionFailureSchema).flatMap((one) => one.violations.map(({ type }) => type));
  }

  get retryDelayMs(): number | undefined {
    const delay = this.#error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    return delay && Number(delay.seconds) * 1_000 + delay.nanos / 1e6;
  }
}

export interface WebCallSettings {
  /** Timeout of the call on the client. Default 30 s. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class WebClient {
  readonly transport: Transport;

  constructor(baseUrl: string, dialect: Dialect) {
    const options = { baseUrl, httpVersion: '1.1', useBinaryFormat: !dialect.endsWith('JSON') } as const;
    this.transport = dialect.startsWith('Connect') ? createConnectTransport(options) : createGrpcWebTransport(options);
  }

  /** @throws WebRefusal */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    { timeoutMs = 30_000, headers = {}, signal }: WebCallSettings = {},
  ): Promise<MessageShape<O>> {
    try {
      return (await this.transport.unary(method, signal, timeoutMs, headers, request)).message;
    } catch (error) {
      throw new WebRefusal(ConnectError.from(error));
    }
  }

  /** Returns the refusal of a call that must not succeed. */
  async refused<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    settings?: WebCallSettings,
  ): Promise<WebRefusal> {
    const answer = await this.call(method, request, settings).catch((error: unknown) => error);
    if (answer instanceof WebRefusal) return answer;
    throw new Error(`the call was to be refused: ${inspect(answer)}`);
  }

  /** The refusal of any RPC, streams included; undefined if it succeeds or begins to stream. */
  async outcome(method: DescMethod, request: Message): Promise<WebRefusal | undefined> {
    const abort = new AbortController();
    try {
      if (method.methodKind === 'unary')
        await this.transport.unary(method as DescMethodUnary, abort.signal, 30_000, {}, request);
      else {
        const messages = (async function* () {
          yield request;
        })();
        const as = method as DescMethodStreaming;
        const { message } = await this.transport.stream(as, abort.signal, 30_000, {}, messages);
        for await (const _ of message) break;
      }
      return undefined;
    } catch (error) {
      return new WebRefusal(ConnectError.from(error));
    } finally {
      abort.abort();
    }
  }
}
