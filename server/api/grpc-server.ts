/** Serves the handlers on the gRPC port: grpc-js as the transport, protobuf-es as the codec. */
import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Log } from '../engine/ports.ts';
import type { CallContext, Handler, StreamHandler } from './context.ts';
import type { ServiceBinding } from './service.ts';
import { ApiError, statusOf } from './status.ts';

export interface GrpcServerOptions {
  /** Default 127.0.0.1. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Log;
}

export interface GrpcServer {
  readonly port: number;
  /** Takes no new calls, waits for those under way for at most 5 s, then ends them. */
  stop(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 4 << 20;
const MAX_STREAMS = 2_000;
/** Calls under way at once; beyond them callers are asked to come back. */
const MAX_CALLS = 20_000;
const STOP_MS = 5_000;

interface Decoded {
  readonly message: Message;
  readonly body: Uint8Array;
}

function definitionOf(method: DescMethod): grpc.MethodDefinition<Decoded, Message> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (body) => ({ message: fromBinary(method.input, body), body }),
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

/** What a call does with its request: answers it, or writes a stream. */
type Work<T> = (message: Message, context: CallContext) => Promise<T>;

/** Works within the caller's deadline and for as long as the caller is there. */
async function invoke<T>(call: Call, work: Work<T>): Promise<T> {
  const deadline = call.getDeadline();
  const leftMs = deadline instanceof Date ? deadline.getTime() - Date.now() : deadline - Date.now();
  const tooLate = () => new ApiError('DEADLINE_EXCEEDED', 'the deadline passed before the call was done');
  if (leftMs <= 0) throw tooLate();
  const abort = new AbortController();
  const gone = () => abort.abort(new ApiError('CALL_CANCELLED', 'the caller went away'));
  const timer = leftMs < 2 ** 31 ? setTimeout(() => abort.abort(tooLate()), leftMs) : undefined;
  call.once('cancelled', gone);
  try {
    const aborted = new Promise<never>((_, reject) =>
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason)),
    );
    return await Promise.race([work(call.request.message, contextOf(call, abort.signal)), aborted]);
  } finally {
    clearTimeout(timer);
    call.off('cancelled', gone);
  }
}

class Calls {
  readonly #log: Log;
  #count = 0;
  #stopping = false;

  constructor(log: Log) {
    this.#log = log;
  }

  stop(): void {
    this.#stopping = true;
  }

  async run<T>(call: Call, name: string, work: Work<T>): Promise<T> {
    if (this.#stopping) throw this.#refuse('SHUTTING_DOWN', 'this replica is shutting down; try another');
    if (this.#count >= MAX_CALLS)
      throw this.#refuse('OVERLOADED', `more than ${MAX_CALLS} calls are under way here; try again`);
    this.#count++;
    try {
      return await invoke(call, work);
    } catch (error) {
      throw this.#statusError(error, name);
    } finally {
      this.#count--;
    }
  }

  #refuse(reason: 'SHUTTING_DOWN' | 'OVERLOADED', message: string): Error {
    return this.#statusError(new ApiError(reason, message), '');
  }

  #statusError(error: unknown, name: string): Error {
    const { code, message, details, fault } = statusOf(error);
    if (fault)
      this.#log.error(
        { rpc: name, errorId: fault.id, error: (fault.error as Error)?.stack ?? String(fault.error) },
        'a call failed for a reason of our own',
      );
    const metadata = new grpc.Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(details));
    return Object.assign(new Error(message), { code, details: message, metadata });
  }
}

/** Resolves when the caller can take more. */
function drained(call: grpc.ServerWritableStream<Decoded, Message>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal.addEventListener('abort', done);
  });
}

function streaming(name: string, handler: StreamHandler<Message, Message>, calls: Calls) {
  return (call: grpc.ServerWritableStream<Decoded, Message>) => {
    const work: Work<void> = async (message, context) => {
      for await (const answer of handler(message, context)) {
        if (context.signal.aborted) return;
        if (!call.write(answer)) await drained(call, context.signal);
      }
    };
    calls.run(call, name, work).then(
      () => call.end(),
      (error) => call.emit('error', error),
    );
  };
}

function unary(name: string, handler: Handler<Message, Message>, calls: Calls) {
  return (call: grpc.ServerUnaryCall<Decoded, Message>, answer: grpc.sendUnaryData<Message>) => {
    calls.run(call, name, handler).then(
      (message) => answer(null, message),
      (error) => answer(error),
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
    implementation[method.name] =
      method.methodKind === 'server_streaming'
        ? streaming(method.name, handler as StreamHandler<Message, Message>, calls)
        : unary(method.name, handler as Handler<Message, Message>, calls);
  }
  server.addService(definition, implementation);
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
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  const calls = new Calls(options.log);
  for (const binding of bindings) addService(server, binding, calls);
  const names = ['', ...bindings.map((binding) => binding.service.typeName)];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  const port = await listen(server, options);
  return {
    port,
    async stop() {
      calls.stop();
      for (const name of names) health.setStatus(name, 'NOT_SERVING');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), STOP_MS);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
