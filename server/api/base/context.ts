/** What a handler is given beside its request; the same behind grpc-js and Connect. */

export interface CallContext {
  /** Aborts when the caller goes away or its deadline passes. */
  readonly signal: AbortSignal;
  /** First value of a request header, lower-case name; empty when there is none. */
  header(name: string): string;
  /** The request as it came over the wire: what a request id is bound to. */
  readonly body: Uint8Array;
}

export type Handler<I, O> = (request: I, context: CallContext) => Promise<O>;

/** Answers with a stream. It is closed when it ends, when it throws, and when `context.signal` is aborted. */
export type StreamHandler<I, O> = (request: I, context: CallContext) => AsyncIterable<O>;
