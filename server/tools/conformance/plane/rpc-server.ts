/** The kit's gRPC port: receives the worker's calls, and returns any answer that the kit wants, or none. */
import { type DescMethod, type DescService, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { type Refusal, serviceErrorOf } from '../refusal.ts';

/** A call of the worker. */
export interface Call {
  /** Such as `Heartbeat`. */
  readonly method: string;
  readonly request: Message;
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
  /** Milliseconds left until its deadline; infinite without one. */
  readonly leftMs: number;
  /** When it was answered, or cancelled by its caller. */
  endedAt: number | undefined;
  /** Whether its caller cancelled it. */
  isGone: boolean;
}

/** `silence`: the caller gets no answer until its deadline. */
export type Answer = { readonly message: Message } | { readonly refusal: Refusal } | 'silence';

export type Answering = (call: Call) => Promise<Answer>;

const MAX_MESSAGE_BYTES = 4 << 20;

export class RpcServer {
  readonly port: number;
  readonly #server: grpc.Server;

  private constructor(server: grpc.Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(services: readonly DescService[], answering: Answering): Promise<RpcServer> {
    const server = new grpc.Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    });
    for (const service of services) addService(server, service, answering);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return new RpcServer(server, port);
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

function addService(server: grpc.Server, service: DescService, answering: Answering): void {
  const definition: Record<string, grpc.MethodDefinition<Message, Message>> = {};
  const implementation: grpc.UntypedServiceImplementation = {};
  for (const method of service.methods.filter(({ methodKind }) => methodKind === 'unary')) {
    definition[method.name] = definitionOf(method);
    implementation[method.name] = unary(method.name, answering);
  }
  server.addService(definition, implementation);
}

function definitionOf(method: DescMethod): grpc.MethodDefinition<Message, Message> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => Buffer.from(toBinary(method.input, message)),
    requestDeserialize: (body) => fromBinary(method.input, body),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function unary(method: string, answering: Answering) {
  return (served: grpc.ServerUnaryCall<Message, Message>, send: grpc.sendUnaryData<Message>) => {
    const deadline = served.getDeadline();
    const leftMs = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
    const call: Call = {
      method,
      request: served.request,
      at: performance.now(),
      leftMs,
      endedAt: undefined,
      isGone: false,
    };
    served.once('cancelled', () => {
      call.isGone = call.endedAt === undefined;
      call.endedAt ??= performance.now();
    });
    void answering(call).then((answer) => {
      if (answer === 'silence') return;
      call.endedAt ??= performance.now();
      if ('message' in answer) send(null, answer.message);
      else send(serviceErrorOf(answer.refusal));
    });
  };
}
