/** Serves the handlers on the gRPC port: grpc-js is the transport, protobuf-es the codec. */
import type { Http2Server } from 'node:http2';
import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ServiceBinding } from '../../service.ts';
import { type Caller, CallFailure, type Calls } from '../calls.ts';
import type { CallContext, Handler, StreamHandler } from '../context.ts';
import { type RpcStatus, statusOf } from '../status.ts';
import { MAX_MESSAGE_BYTES, tooLarge, undecodableBytes, undecompressable } from '../undecodable.ts';
import { boundTimeouts } from './bound-timeouts.ts';
import { guardRequests, type RequestGuardOptions } from './guard-requests.ts';

export interface GrpcServerOptions extends RequestGuardOptions {
  /** A connection without a call for so long is closed. Default 10 min. */
  readonly idleMs?: number;
  /** Default 127.0.0.1. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface GrpcServer {
  readonly port: number;
  /** Accepts no new connections, waits at most 5 s for calls in progress, then ends them. */
  stop(): Promise<void>;
}

const MAX_STREAMS = 2_000;
const STOP_MS = 5_000;
const IDLE_MS = 600_000;

interface Decoded {
  /** @throws the refusal of a message that cannot be decoded. */
  readonly message: Message;
  readonly body: Uint8Array;
}

/** Does not throw: grpc-js would answer INTERNAL, and the caller would repeat the call for ever. */
function decode({ input }: DescMethod, body: Uint8Array): Decoded {
  try {
    return { message: fromBinary(input, body), body };
  } catch (error) {
    const refusal = undecodableBytes(input, body, (error as Error).message);
    return {
      get message(): Message {
        throw refusal;
      },
      body,
    };
  }
}

function definitionOf(method: DescMethod): grpc.MethodDefinition<Decoded, Message> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (body) => decode(method, body),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

type Call = grpc.ServerUnaryCall<Decoded, Message> | grpc.ServerWritableStream<Decoded, Message>;

function contextOf(call: Call, signal: AbortSignal): CallContext {
  return {
    signal,
    body: call.request.body,
    header: (name) => {
      const [value] = call.metadata.get(name);
      return typeof value === 'string' ? value : '';
    },
  };
}

function callerOf(call: Call): Caller {
  const deadline = call.getDeadline();
  return {
    system: 'grpc',
    bytes: call.request.body.length,
    leftMs: (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now(),
    onGone: (listener) => {
      call.once('cancelled', listener);
      return () => call.off('cancelled', listener);
    },
  };
}

function statusObjectOf({ code, message, details }: RpcStatus) {
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(details));
  return { code, details: message, metadata };
}

/** Converts an error for grpc-js. */
function serviceErrorOf(error: unknown): Error {
  if (!(error instanceof CallFailure)) return error as Error;
  return Object.assign(new Error(error.status.message), statusObjectOf(error.status));
}

/** grpc-js's details about compressed data that is corrupt or cut off. It answers INTERNAL. */
const UNCOMPRESSED = 'Failed to decompress message';
/** How its details about a request that is too large start. */
const TOO_LARGE = /^Received message .*larger than/;

/** The refusal of a request that grpc-js refuses without a reason for programs. */
function unreadOf({ code, details }: Pick<grpc.StatusObject, 'code' | 'details'>): Error | undefined {
  if (details === UNCOMPRESSED) return undecompressable();
  return code === grpc.status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details) ? tooLarge() : undefined;
}

/** Changes the call itself: refusals of the transport pass no interceptor. */
const nameUnread: grpc.ServerInterceptor = (_method, call) => {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    const refusal = unreadOf(status);
    send(refusal ? statusObjectOf(statusOf(refusal)) : status);
  };
  return call as grpc.ServerInterceptingCall;
};

/**
 * Resolves when the message was handed to the transport: a slow caller delays only its own stream, and no messages pile
 * up here.
 */
function written(
  call: grpc.ServerWritableStream<Decoded, Message>,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    // After a cancel the callback is never called.
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    call.write(message, done);
  });
}

function streaming(name: string, handler: StreamHandler<Message, Message>, calls: Calls) {
  return (call: grpc.ServerWritableStream<Decoded, Message>) => {
    const write = async (signal: AbortSignal) => {
      for await (const answer of handler(call.request.message, contextOf(call, signal))) {
        if (signal.aborted) return;
        await written(call, answer, signal);
      }
    };
    calls.run(name, callerOf(call), write).then(
      () => call.end(),
      (error) => call.emit('error', serviceErrorOf(error)),
    );
  };
}

function unary(name: string, handler: Handler<Message, Message>, calls: Calls) {
  return (call: grpc.ServerUnaryCall<Decoded, Message>, answer: grpc.sendUnaryData<Message>) => {
    const work = async (signal: AbortSignal) => handler(call.request.message, contextOf(call, signal));
    calls.run(name, callerOf(call), work).then(
      (message) => answer(null, message),
      (error) => answer(serviceErrorOf(error)),
    );
  };
}

function addService(server: grpc.Server, { service, handlers }: ServiceBinding, calls: Calls): void {
  const definition: Record<string, grpc.MethodDefinition<Decoded, Message>> = {};
  const implementation: grpc.UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    if (!handler) throw new Error(`${service.typeName}.${method.name} has no handler`);
    definition[method.name] = definitionOf(method);
    const name = `${service.typeName}/${method.name}`;
    implementation[method.name] =
      method.methodKind === 'server_streaming'
        ? streaming(name, handler as StreamHandler<Message, Message>, calls)
        : unary(name, handler as Handler<Message, Message>, calls);
  }
  server.addService(definition, implementation);
}

/** grpc-js reads the deadline from the headers before anything else sees a call, and overflows beyond 24 days. */
class Server extends grpc.Server {
  constructor(options: grpc.ServerOptions) {
    super(options);
    const hooks = this as unknown as { createHttp2Server(credentials: grpc.ServerCredentials): Http2Server };
    const create = hooks.createHttp2Server.bind(this);
    hooks.createHttp2Server = (credentials) =>
      create(credentials).prependListener('stream', (_stream, headers) => boundTimeouts(headers));
  }
}

function listen(server: grpc.Server, options: GrpcServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (!error) return resolve(port);
      reject(
        new Error(
          `can't listen on ${options.host}:${options.port} for gRPC: ${error.message}. Is another Muster running? Choose another port`,
        ),
      );
    });
  });
}

export async function startGrpcServer(
  bindings: readonly ServiceBinding[],
  calls: Calls,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new Server({
    interceptors: [nameUnread],
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.max_connection_idle_ms': options.idleMs ?? IDLE_MS,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  for (const binding of bindings) addService(server, binding, calls);
  const names = ['', ...bindings.map((binding) => binding.service.typeName)];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  const port = await listen(server, options);
  const unguard = guardRequests(port, options);
  return {
    port,
    async stop() {
      for (const name of names) health.setStatus(name, 'NOT_SERVING');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), STOP_MS);
        server.tryShutdown(() => {
          clearTimeout(timer);
          unguard();
          resolve();
        });
      });
    },
  };
}
