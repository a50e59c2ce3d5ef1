/**
 * Bounds the requests of the gRPC port while they arrive, in time and in bytes. grpc-js keeps what it has received of a
 * message for as long as its stream lives, and its interceptors see whole messages only.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { EngineError } from '../../../engine/base/errors.ts';
import { ApiError, statusOf } from '../status.ts';
import type { IncomingBytes } from './incoming-bytes.ts';

export interface RequestGuardOptions {
  readonly incoming: IncomingBytes;
  /** Max time until a request has arrived completely. Default 30 s. */
  readonly requestMs?: number;
}

const REQUEST_MS = 30_000;
/** Node publishes each new stream here before anyone can read it. */
const CREATED = 'http2.server.stream.created';

export const tooManyBytes = () =>
  new EngineError('OVERLOADED', 'the requests that arrive here are too large together; try again', {
    retryAfterMs: 500,
  });

/** Answers instead of grpc-js, which drops a closed stream. */
function refuse(stream: ServerHttp2Stream, error: Error): void {
  if (stream.destroyed || stream.closed) return;
  const { code, message, details } = statusOf(error);
  if (!stream.headersSent) {
    const trailers = {
      'grpc-status': String(code),
      'grpc-message': encodeURIComponent(message),
      'grpc-status-details-bin': Buffer.from(details).toString('base64'),
    };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto', ...trailers }, { endStream: true });
  }
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function guard(stream: ServerHttp2Stream, { incoming, requestMs = REQUEST_MS }: RequestGuardOptions): void {
  const request = incoming.begin(stream.session ?? stream);
  const late = () => new ApiError('DEADLINE_EXCEEDED', `the request has not arrived completely within ${requestMs} ms`);
  const timer = setTimeout(() => refuse(stream, late()), requestMs);
  const end = () => {
    clearTimeout(timer);
    request.end();
  };
  stream.on('data', (chunk: Buffer) => {
    if (!request.add(chunk.length)) refuse(stream, tooManyBytes());
  });
  // Otherwise the first bytes would flow before grpc-js listens.
  stream.pause();
  stream.once('end', end);
  stream.once('close', end);
}

/** Watches the requests of the server at this port; the result ends that. */
export function guardRequests(port: number, options: RequestGuardOptions): () => void {
  const created = (message: unknown) => {
    const { stream } = message as { readonly stream: ServerHttp2Stream };
    if (stream.session?.socket.localPort === port) guard(stream, options);
  };
  subscribe(CREATED, created);
  return () => void unsubscribe(CREATED, created);
}
