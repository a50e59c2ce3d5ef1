/** Calls RPCs as a client of any language would, and returns the answer, or the code with its details. */
import { inspect } from 'node:util';
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { type Status, StatusSchema } from '@muster-jobs/sdk/gen/google/rpc/status_pb';

export interface CallSettings {
  /** Timeout of the call on the client. Default 30 s. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the call, so that the test can cancel it. */
  readonly onCall?: (call: ClientUnaryCall) => void;
}

/** A call that was refused. */
export class Refusal extends Error {
  readonly code: number;
  /** google.rpc.Status of the trailer; undefined if there is none. */
  readonly status: Status | undefined;
  /** Size of all trailers, names and values, as the HTTP/2 specification counts it. */
  readonly trailerBytes: number;

  constructor(error: ServiceError) {
    super(error.details);
    this.code = error.code;
    const bytes = error.metadata.get('grpc-status-details-bin')[0];
    this.status = bytes instanceof Uint8Array ? fromBinary(StatusSchema, bytes) : undefined;
    const encoded = encodeURI(error.details).length + 'grpc-message'.length;
    this.trailerBytes = encoded + 64 + Math.ceil(((bytes?.length ?? 0) * 4) / 3) + 'grpc-status-details-bin'.length;
  }

  /** The one ErrorInfo of the details. */
  get info(): ErrorInfo | undefined {
    return this.#find(ErrorInfoSchema);
  }

  get reason(): string {
    return this.info?.reason ?? '';
  }

  /** Paths of the fields that BadRequest names. */
  get fields(): string[] {
    return this.#find(BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [];
  }

  get preconditions(): string[] {
    return this.#find(PreconditionFailureSchema)?.violations.map(({ type }) => type) ?? [];
  }

  get retryDelayMs(): number | undefined {
    const delay = this.#find(RetryInfoSchema)?.retryDelay;
    return delay && Number(delay.seconds) * 1_000 + delay.nanos / 1e6;
  }

  #find<D extends DescMessage>(schema: D): MessageShape<D> | undefined {
    return this.status?.details.map((detail) => anyUnpack(detail, schema)).find((message) => message !== undefined);
  }
}

export class Rpc {
  readonly #client: Client;

  constructor(address: string) {
    // Far above the server's limit, so that the server refuses and not the client.
    const limits = { 'grpc.max_send_message_length': 64 << 20, 'grpc.max_receive_message_length': 64 << 20 };
    this.#client = new Client(address, credentials.createInsecure(), limits);
  }

  /** @throws Refusal */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    settings?: CallSettings,
  ): Promise<MessageShape<O>> {
    return this.send(method, toBinary(method.input, create(method.input, request)), settings);
  }

  /** Returns the refusal of a call that must not succeed. */
  async refused<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    settings?: CallSettings,
  ): Promise<Refusal> {
    return refusalOf(this.call(method, request, settings));
  }

  /** As `call`, with the encoded request. */
  send<O extends DescMessage>(
    method: Pick<DescMethodUnary<DescMessage, O>, 'parent' | 'name' | 'output'>,
    bytes: Uint8Array,
    settings: CallSettings = {},
  ): Promise<MessageShape<O>> {
    const { timeoutMs = 30_000, headers = {}, onCall } = settings;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (message: Uint8Array) => Buffer.from(message),
        (answer: Buffer) => fromBinary(method.output, new Uint8Array(answer)),
        bytes,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => (error ? reject(new Refusal(error)) : resolve(answer as MessageShape<O>)),
      );
      onCall?.(call);
    });
  }

  /** Begins a stream; its messages are read on request, and a refusal ends it with a ServiceError. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    { timeoutMs = 30_000 }: CallSettings = {},
  ): ClientReadableStream<MessageShape<O>> {
    return this.#client.makeServerStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      (answer: Buffer) => fromBinary(method.output, new Uint8Array(answer)),
      create(method.input, request),
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
    );
  }

  close(): void {
    this.#client.close();
  }
}

/** Reads a stream to its end: its messages, and its refusal if there is one. */
export async function readAll<T>(call: ClientReadableStream<T>): Promise<{ messages: T[]; refusal?: Refusal }> {
  const messages: T[] = [];
  return new Promise((resolve) => {
    call.on('data', (message: T) => messages.push(message));
    call.on('error', (error) => resolve({ messages, refusal: new Refusal(error as ServiceError) }));
    call.on('end', () => resolve({ messages }));
    call.resume();
  });
}

/** @throws Error when the call succeeds. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const answer = await call.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
  if (answer instanceof Refusal) return answer;
  throw new Error(`the call was to be refused: ${inspect(answer)}`);
}
