/** A handler's view of its call, besides the request; the same for grpc-js and Connect. */

export interface CallContext {
  /** Aborts when the caller disconnects or its deadline passes. */
  readonly signal: AbortSignal;
  /** First value of a request header, by lower-case name; empty if there is none. */
  header(name: string): string;
  /** The encoded request: the content that a request id is bound to. */
  readonly body: Uint8Array;
}

export type Handler<I, O> = (request: I, context: CallContext) => Promise<O>;

/** Answers with a stream. The iterator is closed when it ends, when it throws, and when `context.signal` aborts. */
export type StreamHandler<I, O> = (request: I, context: CallContext) => AsyncIterable<O>;
