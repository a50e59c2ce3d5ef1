/** Opens NATS clients for a replica, with the settings that all of them share. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Authenticator, connect, errors, type NatsConnection } from '@nats-io/transport-node';

export interface ClientOptions {
  readonly urls: readonly string[];
  /** None if the bus asks for no credentials. */
  readonly authenticator?: Authenticator | undefined;
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** Interval of the probes of the server, in ms; a server that misses two counts as dead. Default: 5,000. */
  readonly probeMs?: number | undefined;
}

const retryMs = 200;

/** One attempt per URL. After the first success the client reconnects for ever. */
export function openClient(options: ClientOptions): Promise<NatsConnection> {
  return connect({
    servers: [...options.urls],
    name: options.name,
    ...(options.authenticator ? { authenticator: options.authenticator } : {}),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    // Credentials may be renewed and servers reconfigured: a refusal now need not last.
    ignoreAuthErrorAbort: true,
    timeout: 2_000,
    pingInterval: options.probeMs ?? 5_000,
    maxPingOut: 2,
  });
}

/** No server has answered; one may later. */
export class BusUnreachable extends Error {}

/**
 * Opens the first client of a replica, with retries for `deadlineMs`.
 *
 * @throws BusUnreachable if no server answers in time; Error if one refuses the credentials.
 */
export async function openFirstClient(options: ClientOptions, deadlineMs: number): Promise<NatsConnection> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await openClient(options);
    } catch (error) {
      const refused = error instanceof errors.AuthorizationError;
      if (refused || performance.now() > deadline) {
        const bus = `the bus at ${options.urls.join(', ')}`;
        if (refused) throw new Error(`${bus} refuses the credentials`, { cause: error });
        throw new BusUnreachable(`${bus} can't be reached: ${(error as Error).message}`, { cause: error });
      }
      await delay(retryMs);
    }
  }
}
