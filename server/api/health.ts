/** The HTTP port, for now: whether the replica lives and whether it can work. */
import { createServer } from 'node:http';

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** `/healthz` says that the process answers; `/readyz` that its database and its bus do. */
export function startHealthServer(
  host: string,
  port: number,
  ready: () => Promise<Record<string, boolean>>,
): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    if (request.method !== 'GET') return answer(405, { error: 'only GET is served here' });
    if (request.url === '/healthz') return answer(200, { status: 'ok' });
    if (request.url !== '/readyz') return answer(404, { error: 'not found: this port serves /healthz and /readyz' });
    const parts = await ready();
    const good = Object.values(parts).every(Boolean);
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
