/** Typed server-streaming calls over grpc-js. */
import type { DescMessage, DescMethodServerStreaming, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { musterError } from './status-details.ts';
import { makeStub } from './stub.ts';
import { cancelled } from './unary-client.ts';

/**
 * Yields the messages of the stream as they arrive, and ends the call when the reader leaves the loop. There is no
 * deadline: the channel's keepalive detects a dead connection.
 *
 * @param signal Ends the call early with CANCELLED.
 * @throws MusterError
 */
export async function* serverStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  signal?: AbortSignal,
): AsyncGenerator<MessageShape<O>, void, undefined> {
  if (signal?.aborted) throw cancelled(signal);
  const stub = makeStub(method.parent.typeName, method);
  const call = client.makeServerStreamRequest(
    stub.path,
    stub.serialize,
    stub.deserialize,
    create(method.input, request),
  );
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
