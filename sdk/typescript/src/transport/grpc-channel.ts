/** The gRPC connection, over grpc-js. protobuf-es is the codec; a dead connection is detected by keepalive. */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { ServiceError } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { CallOptions, Channel, UnaryCall } from './channel.ts';
import { cancelled } from './channel.ts';
import { musterError } from './status-details.ts';
import type { Stub } from './stub.ts';
import { makeStub } from './stub.ts';

const CHANNEL_OPTIONS = {
  // Detects a dead connection within 15 s, also without calls.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // A worker must beat soon after the control plane is back; the library's own delays grow to two minutes.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  // Balances calls over the replicas of the address.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/**
 * Opens the connection with the first call.
 *
 * @param address `host:port`, or any gRPC target that names several replicas, such as `dns:///muster:7070` or
 *   `ipv4:10.0.0.1:7070,10.0.0.2:7070`.
 */
export function openChannel(address: string): Channel {
  return new GrpcChannel(address);
}

class GrpcChannel implements Channel {
  readonly address: string;
  readonly #client: Client;

  constructor(address: string) {
    this.address = address;
    this.#client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  get namesSeveral(): boolean {
    return this.address.includes(',') || this.address.startsWith('dns:');
  }

  unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>): UnaryCall<I, O> {
    const stub = makeStub(method.parent.typeName, method);
    return (request, options) =>
      callUnary(this.#client, stub, create(method.input, request), options) as Promise<MessageShape<O>>;
  }

  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    if (signal?.aborted) throw cancelled(signal);
    const { path, serialize, deserialize } = makeStub(method.parent.typeName, method);
    const call = this.#client.makeServerStreamRequest(path, serialize, deserialize, create(method.input, request));
    const abort = () => call.cancel();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for await (const message of call) yield message as MessageShape<O>;
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : musterError(error as ServiceError);
    } finally {
      signal?.removeEventListener('abort', abort);
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}

function callUnary(
  client: Client,
  { path, serialize, deserialize }: Stub,
  message: MessageShape<DescMessage>,
  options: CallOptions,
): Promise<MessageShape<DescMessage>> {
  const { signal, timeoutMs, waitForReady = false } = options;
  if (signal?.aborted) return Promise.reject(cancelled(signal));
  return new Promise((resolve, reject) => {
    const abort = () => call.cancel();
    const done = (error: ServiceError | null, response?: MessageShape<DescMessage>) => {
      signal?.removeEventListener('abort', abort);
      if (error) reject(signal?.aborted ? cancelled(signal) : musterError(error));
      else resolve(response as MessageShape<DescMessage>);
    };
    const metadata = metadataOf(options.metadata, waitForReady);
    const deadline = { deadline: Date.now() + timeoutMs };
    const call = client.makeUnaryRequest(path, serialize, deserialize, message, metadata, deadline, done);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function metadataOf(values: object = {}, waitForReady: boolean): Metadata {
  const metadata = new Metadata({ waitForReady });
  for (const [name, value] of Object.entries(values)) if (value !== '') metadata.set(name, value);
  return metadata;
}
