/** The HTTP port: Connect and gRPC-Web for browsers and curl, the API reference, health and metrics. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ConnectError, createContextValues } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { errorToJson } from '@connectrpc/connect/protocol-connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { Log } from '../../../engine/ports/ports.ts';
import { serveReference } from '../../reference/serve.ts';
import { ApiError, statusOf } from '../status.ts';
import { boundTimeouts } from './bound-timeouts.ts';
import { connectErrorOf } from './connect-error.ts';
import { tooManyBytes } from './guard-requests.ts';
import { type Health, healthAnswer } from './health.ts';
import type { IncomingBytes } from './incoming-bytes.ts';
import { type MetricsText, serveMetrics } from './metrics.ts';
import { ReceivedBody, receivedBody } from './received-body.ts';
import { checkAccess, corsHeaders, preflightHeaders, type WebAccess } from './web-access.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly access: WebAccess;
  readonly metrics: MetricsText;
  readonly incoming: IncomingBytes;
  readonly log: Log;
  /** Max time until a request has arrived completely, up to a twelfth more. Default 60 s. */
  readonly requestMs?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Accepts no new connections, waits at most 5 s for calls in progress, then ends them. */
  stop(): Promise<void>;
}

/** Handlers of RPCs by path. */
export type Routes = ReadonlyMap<string, UniversalHandler>;

const STOP_MS = 5_000;
const REQUEST_MS = 60_000;
/** Hints for statuses with which Connect's handlers refuse a call without a message. */
const hints: Readonly<Record<number, string>> = {
  405: 'RPCs are called with POST',
  415: 'the content type must be application/json, application/proto, application/connect+json, application/connect+proto, application/grpc-web+json or application/grpc-web+proto: the first two for one answer, the next two for a stream',
};

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

/** Answers with an error in Connect's format, so that its clients understand it. */
function refuse(response: ServerResponse, status: number, error: ConnectError): void {
  answer(response, status, errorToJson(error, undefined) as object);
}

function refuseUnserved(response: ServerResponse, status: number, message: string): void {
  if (status === 405) response.setHeader('allow', 'POST');
  refuse(response, status, connectErrorOf(statusOf(new ApiError('NOT_IMPLEMENTED', message))));
}

/**
 * The body in chunks. If the reader stops early, the connection stays open so that the refusal can be sent; the rest of
 * the body is discarded.
 */
async function* bodyOf(
  request: IncomingMessage,
  incoming: IncomingBytes,
  received: ReceivedBody,
): AsyncGenerator<Uint8Array> {
  const arriving = incoming.begin(request.socket);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!arriving.add(chunk.length)) throw connectErrorOf(statusOf(tooManyBytes()));
      received.add(chunk);
      yield chunk;
    }
  } finally {
    arriving.end();
    request.resume();
  }
}

async function call({ routes, incoming }: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const handler = routes.get(path);
  if (!handler) {
    const message =
      'there is no such RPC; the paths here are /muster.v1.SERVICE/METHOD, /reference, /openapi.json, /metrics, /healthz and /readyz';
    return refuseUnserved(response, 404, message);
  }
  boundTimeouts(request.headers);
  const asked = universalRequestFromNodeRequest(request, response, undefined, undefined);
  const received = new ReceivedBody();
  const contextValues = createContextValues().set(receivedBody, received);
  const result = await handler({ ...asked, body: bodyOf(request, incoming, received), contextValues });
  const hint = result.body === undefined ? hints[result.status] : undefined;
  if (hint) return refuseUnserved(response, result.status, hint);
  await universalResponseToNodeResponse(result, response);
}

interface Served {
  readonly health: Health;
  readonly routes: Routes;
  readonly incoming: IncomingBytes;
  readonly access: WebAccess;
  readonly metrics: MetricsText;
}

async function serve(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { health, access, metrics } = served;
  const reply = await healthAnswer(request, health);
  if (reply) return answer(response, reply.status, reply.body);
  try {
    checkAccess(request.headers, access);
  } catch (error) {
    return refuse(response, 403, connectErrorOf(statusOf(error)));
  }
  response.setHeaders(new Map(Object.entries(corsHeaders(request.headers, access))));
  if (request.method === 'OPTIONS') {
    response.writeHead(204, preflightHeaders).end();
    return;
  }
  if (serveReference(request, response)) return;
  if (await serveMetrics(request, response, metrics)) return;
  await call(served, request, response);
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Error(
          `can't listen on ${host}:${port} for HTTP: ${error.message}. Is another Muster running? Choose another port`,
        ),
      ),
    );
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });
}

/** A connection that is kept alive would delay the end, so each is closed after its answer. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const closing = setInterval(() => server.closeIdleConnections(), 50);
    const timer = setTimeout(() => server.closeAllConnections(), STOP_MS);
    server.close(() => {
      clearInterval(closing);
      clearTimeout(timer);
      resolve();
    });
  });
}

export async function startHttpServer(routes: Routes, health: Health, options: HttpServerOptions): Promise<HttpServer> {
  const { access, metrics, incoming, log, requestMs = REQUEST_MS } = options;
  const times = { requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 12 };
  const server = createServer(times, (request, response) => {
    serve(request, response, { health, routes, access, metrics, incoming }).catch((error) => {
      // If the caller has disconnected, nobody sees the error anyway.
      if (!response.destroyed) log.error({ path: request.url, error: String(error) }, 'an HTTP call failed');
      response.destroy();
    });
  });
  return { port: await listen(server, options), stop: () => stop(server) };
}
