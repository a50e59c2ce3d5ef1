/** A connection to Muster, as the client uses it: over gRPC, or over HTTP with fetch. */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Code, MusterError } from '../error.ts';

/** Options of a unary call. */
export interface CallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this many milliseconds. */
  readonly timeoutMs: number;
  /** Ends the call early with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Waits within the deadline for a connection instead of failing at once with UNAVAILABLE. Over gRPC only. Default:
   * false.
   */
  readonly waitForReady?: boolean;
  /** Metadata of the call, by lowercase name; empty values are left out. */
  readonly metadata?: object | undefined;
}

/** Makes a call. Fails with a `MusterError`. */
export type UnaryCall<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options: CallOptions,
) => Promise<MessageShape<O>>;

export interface Channel {
  /** The address as spans name it: a gRPC target, or host and port. */
  readonly address: string;
  /** Whether the address may name several replicas. */
  readonly namesSeveral: boolean;
  unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>): UnaryCall<I, O>;
  /**
   * Yields the messages of the stream as they arrive, and ends the call when the reader leaves the loop. There is no
   * deadline.
   *
   * @param signal Ends the call early with CANCELLED.
   * @throws MusterError
   */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined>;
  /** Calls in progress fail. */
  close(): void;
}

/** Opens the connection to an address. */
export type OpenChannel = (address: string) => Channel;

/** Reads a server stream; see `Channel.stream`. */
export function serverStream<I extends DescMessage, O extends DescMessage>(
  channel: Channel,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  signal?: AbortSignal,
): AsyncGenerator<MessageShape<O>, void, undefined> {
  return channel.stream(method, request, signal);
}

/** The error of a call that its caller has cancelled. */
export function cancelled(signal: AbortSignal): MusterError {
  return new MusterError({ code: Code.CANCELLED, message: 'the caller ended the call', cause: signal.reason });
}
