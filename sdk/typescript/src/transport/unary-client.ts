/** Typed unary calls over grpc-js, with protobuf-es as the codec and the service descriptor as the stub. */
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import { Code, MusterError } from '../error.ts';
import { musterError } from './status-details.ts';
import type { Stub } from './stub.ts';
import { makeStub } from './stub.ts';

export interface CallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this many milliseconds. */
  readonly timeoutMs: number;
  /** Ends the call early with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** Waits within the deadline for a connection instead of failing at once with UNAVAILABLE. Default: false. */
  readonly waitForReady?: boolean;
  /** Metadata of the call, by lowercase name; empty values are left out. */
  readonly metadata?: object | undefined;
}

/** The unary methods of a service as functions. Streaming methods are left out. */
export type UnaryClient<M extends GenServiceMethods> = {
  readonly [K in keyof M as M[K]['methodKind'] extends 'unary' ? K : never]: (
    request: MessageInitShape<M[K]['input']>,
    options: CallOptions,
  ) => Promise<MessageShape<M[K]['output']>>;
};

/** Makes a client for every unary method of `service`. Each call fails with a `MusterError`. */
export function unaryClient<M extends GenServiceMethods>(client: Client, service: GenService<M>): UnaryClient<M> {
  const methods: Record<string, unknown> = {};
  for (const method of Object.values<DescMethod>(service.method)) {
    if (method.methodKind !== 'unary') continue;
    const stub = makeStub(service.typeName, method);
    methods[method.localName] = (request: MessageInitShape<DescMessage>, options: CallOptions) =>
      callUnary(client, stub, request, options);
  }
  return methods as UnaryClient<M>;
}

function callUnary(
  client: Client,
  stub: Stub,
  request: MessageInitShape<DescMessage>,
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
    const message = create(stub.input, request);
    const metadata = metadataOf(options.metadata, waitForReady);
    const deadline = { deadline: Date.now() + timeoutMs };
    const call = client.makeUnaryRequest(
      stub.path,
      stub.serialize,
      stub.deserialize,
      message,
      metadata,
      deadline,
      done,
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function metadataOf(values: object = {}, waitForReady: boolean): Metadata {
  const metadata = new Metadata({ waitForReady });
  for (const [name, value] of Object.entries(values)) if (value !== '') metadata.set(name, value);
  return metadata;
}

/** The error of a call that its caller has cancelled. */
export function cancelled(signal: AbortSignal): MusterError {
  return new MusterError({ code: Code.CANCELLED, message: 'the caller ended the call', cause: signal.reason });
}
