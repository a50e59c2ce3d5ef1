/** Liveness and readiness of the replica, over HTTP. */
import type { IncomingMessage } from 'node:http';

export interface Readiness {
  readonly database: boolean;
  readonly bus: boolean;
  /** Whether the bus is set up to keep events. Everything else works without that. */
  readonly events: boolean;
  /** The database's clock, RFC 3339. Undefined if the database does not answer. */
  readonly time: string | undefined;
  /** Coming days whose partitions are made. Undefined if the database does not answer. */
  readonly daysAhead: number | undefined;
}

export interface HealthAnswer {
  readonly status: number;
  readonly body: object;
}

export interface Health {
  readonly release: { readonly version: string; readonly protocolVersion: number };
  ready(): Promise<Readiness>;
}

/**
 * `/healthz`: the process answers; gives its release and worker protocol. `/readyz`: whether its database and its bus
 * answer, and the database's time. Without the bus all calls are served, and jobs run, so the replica is ready but
 * degraded. Undefined for other paths.
 */
export async function healthAnswer(
  { method, url }: IncomingMessage,
  health: Health,
): Promise<HealthAnswer | undefined> {
  if (url !== '/healthz' && url !== '/readyz') return undefined;
  if (method !== 'GET') return { status: 405, body: { error: 'only GET is served here' } };
  if (url === '/healthz') return { status: 200, body: { status: 'ok', ...health.release } };
  const parts = await health.ready();
  const status = !parts.database ? 'not ready' : parts.bus ? 'ready' : 'degraded';
  return { status: parts.database ? 200 : 503, body: { status, ...parts } };
}
