/** The connection to the HTTP port, in the Connect protocol with fetch: for browsers, Deno, Bun and edge runtimes. */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { ConnectError } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { Code, type MusterError } from '../error.ts';
import type { CallOptions, Channel, UnaryCall } from './channel.ts';
import { cancelled } from './channel.ts';
import { errorWithDetails } from './error-details.ts';

/**
 * @param address URL of the HTTP port, such as `https://muster.example.com`.
 * @throws TypeError when the address is no such URL.
 */
export function openConnectChannel(address: string): Channel {
  return new ConnectChannel(address);
}

class ConnectChannel implements Channel {
  readonly address: string;
  readonly namesSeveral = false;
  readonly #transport: Transport;
  readonly #closing = new AbortController();

  constructor(address: string) {
    this.address = hostOf(address);
    this.#transport = createConnectTransport({ baseUrl: address, useBinaryFormat: true });
  }

  unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>): UnaryCall<I, O> {
    return async (request, { signal, timeoutMs, metadata }: CallOptions) => {
      if (signal?.aborted) throw cancelled(signal);
      try {
        const [stop, ms] = [this.#stop(signal), Math.ceil(timeoutMs)];
        return (await this.#transport.unary(method, stop, ms, headersOf(metadata), request)).message;
      } catch (error) {
        throw signal?.aborted ? cancelled(signal) : musterError(error);
      }
    };
  }

  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    if (signal?.aborted) throw cancelled(signal);
    // The transport does not end the call when its reader leaves the loop.
    const reader = new AbortController();
    const stop = AbortSignal.any([reader.signal, this.#stop(signal)]);
    try {
      const response = await this.#transport.stream(method, stop, undefined, undefined, only(request));
      yield* response.message;
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : musterError(error);
    } finally {
      reader.abort();
    }
  }

  close(): void {
    this.#closing.abort();
  }

  #stop(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }
}

function hostOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.host;
  throw new TypeError(
    `address: "${address}" is no URL of Muster's HTTP port: write one, such as http://127.0.0.1:7080`,
  );
}

function headersOf(values: object = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

async function* only<T>(item: T): AsyncGenerator<T, void> {
  yield item;
}

/** Converts an error of the transport. A connection that fails or breaks is UNAVAILABLE, as over gRPC. */
function musterError(reason: unknown): MusterError {
  const error = ConnectError.from(reason);
  const isBroken = error.code === Code.UNKNOWN && !error.isWireError;
  return errorWithDetails({
    code: isBroken ? Code.UNAVAILABLE : error.code,
    message: isBroken ? `the control plane can't be reached: ${error.rawMessage}` : error.rawMessage,
    find: (schema) => error.findDetails(schema)[0],
    cause: error,
  });
}
