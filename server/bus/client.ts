/** Opens NATS clients for a replica, with the settings that all of them share. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Authenticator, connect, errors, type NatsConnection } from '@nats-io/transport-node';

export interface ClientOptions {
  readonly urls: readonly string[];
  /** None when the bus asks for none. */
  readonly authenticator?: Authenticator | undefined;
  /** Shows in the server's list of its connections. */
  readonly name: string;
  /** Time from one probe of the server to the next, in ms; one that misses two is given up. Default: 5,000. */
  readonly probeMs?: number | undefined;
}

const retryMs = 200;

/** One attempt at each URL. The client reconnects for ever from then on. */
export function openClient(options: ClientOptions): Promise<NatsConnection> {
  return connect({
    servers: [...options.urls],
    name: options.name,
    ...(options.authenticator ? { authenticator: options.authenticator } : {}),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    // Credentials may be renewed and servers reconfigured: a refusal today says nothing about tomorrow.
    ignoreAuthErrorAbort: true,
    timeout: 2_000,
    pingInterval: options.probeMs ?? 5_000,
    maxPingOut: 2,
  });
}

/**
 * The first client of a replica, tried for `deadlineMs`.
 *
 * @throws Error when no server answers in time or one refuses the credentials.
 */
export async function openFirstClient(options: ClientOptions, deadlineMs: number): Promise<NatsConnection> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await openClient(options);
    } catch (error) {
      const refused = error instanceof errors.AuthorizationError;
      if (refused || performance.now() > deadline) {
        const problem = refused ? 'refuses the credentials' : `can't be reached: ${(error as Error).message}`;
        throw new Error(`the bus at ${options.urls.join(', ')} ${problem}`, { cause: error });
      }
      await delay(retryMs);
    }
  }
}
