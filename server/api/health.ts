/** The HTTP port, for now: whether the replica lives and whether it can work. */
import { createServer } from 'node:http';

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Readiness {
  readonly database: boolean;
  readonly bus: boolean;
  /** The database's clock, RFC 3339. Undefined when it does not answer. */
  readonly time: string | undefined;
}

/**
 * `/healthz` says that the process answers, and which release and worker protocol it is (`release`); `/readyz` whether its
 * database and its bus answer, and what time it is for them.
 */
export function startHealthServer(
  host: string,
  port: number,
  release: { readonly version: string; readonly protocolVersion: number },
  ready: () => Promise<Readiness>,
): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    if (request.method !== 'GET') return answer(405, { error: 'only GET is served here' });
    if (request.url === '/healthz') return answer(200, { status: 'ok', ...release });
    if (request.url !== '/readyz') return answer(404, { error: 'not found: this port serves /healthz and /readyz' });
    const parts = await ready();
    const good = parts.database && parts.bus;
    return answer(good ? 200 : 503, { status: good ? 'ready' : 'not ready', ...parts });
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `can't listen on ${host}:${port} for HTTP: ${error.message}. Is another Muster running? Choose another port`,
        ),
      ),
    );
    server.listen(port, host, () => {
      const bound = server.address() as { port: number };
      resolve({
        port: bound.port,
        stop: () => new Promise((done) => server.close(() => done()).closeAllConnections()),
      });
    });
  });
}
