/** The handlers for Connect (JSON and binary) and gRPC-Web: the services of the gRPC port, for browsers and curl. */
import { type DescMethod, type DescService, type Message, toBinary } from '@bufbuild/protobuf';
import { ConnectError, createConnectRouter, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { compressionGzip } from '@connectrpc/connect-node';
import type { ServiceBinding } from '../../service.ts';
import { type Caller, CallFailure, type Calls } from '../calls.ts';
import { Code } from '../code.ts';
import type { CallContext, Handler, StreamHandler } from '../context.ts';
import { ApiError, statusOf } from '../status.ts';
import { MAX_MESSAGE_BYTES, tooLarge, undecodable, undecompressable } from '../undecodable.ts';
import { undecodableJson } from '../undecodable-json.ts';
import { connectErrorOf } from './connect-error.ts';
import { messageBytes, messageText, receivedBody } from './received-body.ts';

/** How Connect's messages about undecodable binary start. */
const BINARY = 'parse binary: ';
/** Connect's message about compressed data that is corrupt or cut off. */
const UNCOMPRESSED = 'decompression failed';
/** Connect's message about a request that is too large. */
const TOO_LARGE = /larger than configured readMaxBytes/;

/**
 * A request id is bound to the binary encoding of the message, so that a repeat in another encoding is the same call.
 * It is computed on demand: most calls never need it.
 */
function contextOf(method: DescMethod, message: Message, { requestHeader }: HandlerContext, signal: AbortSignal) {
  let body: Uint8Array | undefined;
  return {
    signal,
    header: (name) => requestHeader.get(name) ?? '',
    get body() {
      body ??= toBinary(method.input, message);
      return body;
    },
  } satisfies CallContext;
}

function callerOf(context: HandlerContext): Caller {
  const { timeoutMs, signal, values } = context;
  values.get(receivedBody).forget();
  return {
    system: 'connectrpc',
    bytes: messageBytes(context),
    leftMs: timeoutMs() ?? Number.POSITIVE_INFINITY,
    onGone: (listener) => {
      // The signal also aborts at the deadline, which the call watches itself.
      const aborted = () => ConnectError.from(signal.reason).code !== Code.DEADLINE_EXCEEDED && listener();
      if (signal.aborted) aborted();
      signal.addEventListener('abort', aborted);
      return () => signal.removeEventListener('abort', aborted);
    },
  };
}

function failureOf(error: unknown): unknown {
  return error instanceof CallFailure ? connectErrorOf(error.status) : error;
}

/** The method's name in gRPC and telemetry. */
function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function unary(method: DescMethod, handler: Handler<Message, Message>, calls: Calls) {
  return (message: Message, context: HandlerContext) =>
    calls
      .run(nameOf(method), callerOf(context), (signal) => handler(message, contextOf(method, message, context, signal)))
      .catch((error) => Promise.reject(failureOf(error)));
}

function streaming(method: DescMethod, handler: StreamHandler<Message, Message>, calls: Calls) {
  return async function* (message: Message, context: HandlerContext) {
    try {
      yield* calls.stream(nameOf(method), callerOf(context), (signal) =>
        handler(message, contextOf(method, message, context, signal)),
      );
    } catch (error) {
      throw failureOf(error);
    }
  };
}

function implementationOf({ service, handlers }: ServiceBinding, calls: Calls): Partial<ServiceImpl<DescService>> {
  const implementations = service.methods.map((method) => {
    const handler = handlers[method.localName];
    const implementation =
      method.methodKind === 'server_streaming'
        ? streaming(method, handler as StreamHandler<Message, Message>, calls)
        : unary(method, handler as Handler<Message, Message>, calls);
    return [method.localName, implementation];
  });
  return Object.fromEntries(implementations);
}

/** The refusal of a call that Connect refuses without a reason for programs. */
function refusalOf(error: ConnectError, context: HandlerContext): Error | undefined {
  const { rawMessage, code, cause } = error;
  const { input } = context.method;
  if (rawMessage === UNCOMPRESSED) return undecompressable();
  if (rawMessage.startsWith(BINARY)) return undecodable(input, rawMessage.replace(BINARY, ''));
  if (code === Code.RESOURCE_EXHAUSTED && TOO_LARGE.test(rawMessage)) return tooLarge();
  if (code === Code.UNIMPLEMENTED) return new ApiError('NOT_IMPLEMENTED', rawMessage);
  if (code !== Code.INVALID_ARGUMENT) return undefined;
  if (!(cause instanceof Error)) return new ApiError('INVALID_FIELD', rawMessage);
  const reason = rawMessage.replace(`cannot decode message ${input.typeName} from JSON: `, '');
  return undecodableJson(input, messageText(context), reason);
}

/**
 * Connect's own refusals have no details, and it answers INTERNAL to binary that it cannot decode. It sends the error for
 * which it aborts a call, so that error is changed.
 */
function giveReason(context: HandlerContext): void {
  const { signal } = context;
  signal.addEventListener('abort', () => {
    const error = signal.reason;
    if (!(error instanceof ConnectError) || error.details.length > 0) return;
    const refusal = refusalOf(error, context);
    if (!refusal) return;
    const { code, rawMessage, message, details } = connectErrorOf(statusOf(refusal));
    Object.assign(error, { code, rawMessage, message, details });
  });
}

/** By path, such as `/muster.v1.JobService/GetJob`. */
export function connectHandlers(bindings: readonly ServiceBinding[], calls: Calls): Map<string, UniversalHandler> {
  const router = createConnectRouter({
    grpc: false, // gRPC needs HTTP/2 and has a port of its own
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    acceptCompression: [compressionGzip],
    requestGate: giveReason,
    // An unknown field is a misspelt field, which the author of the JSON would otherwise never notice. And invalid
    // UTF-8 would be stored as other characters.
    jsonOptions: { ignoreUnknownFields: false, ...{ textDecoder: new TextDecoder('utf-8', { fatal: true }) } },
  });
  for (const binding of bindings) router.service(binding.service, implementationOf(binding, calls));
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}
