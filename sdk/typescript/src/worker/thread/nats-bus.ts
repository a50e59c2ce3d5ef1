/** A session's subscription over NATS. It reconnects with the newest credentials until it is closed. */
import { fromBinary } from '@bufbuild/protobuf';
import type { Authenticator, Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import { SessionMessageSchema } from '../../gen/muster/worker/v1/assignment_pb.ts';
import type { Bus, BusConnection, BusOptions, CorePorts } from '../core/base/ports.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_WAIT_MS = 200;
/** A dead connection is detected within three of these intervals. */
const PING_INTERVAL_MS = 10_000;

const encoder = new TextEncoder();

export function natsBus(log: CorePorts['log']): Bus {
  return { connect: (options) => new NatsSubscription(options, log) };
}

class NatsSubscription implements BusConnection {
  readonly #options: BusOptions;
  readonly #log: CorePorts['log'];
  #connection: NatsConnection | undefined;
  /** Number of times that a connection has broken. */
  #breaks = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: BusOptions, log: CorePorts['log']) {
    this.#options = options;
    this.#log = log;
    void this.#keepConnected();
  }

  reconnect(): void {
    this.#connection?.close().catch((error: unknown) => this.#warn('the bus could not be closed', error));
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    this.reconnect();
  }

  async #keepConnected(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#connectOnce();
      } catch (error) {
        this.#warn('the bus can not be reached yet', error);
      }
      this.#connection = undefined;
      if (!this.#closed) await this.#pause();
    }
  }

  /** Resolves when the connection has ended; the client's own reconnects do not end it. */
  async #connectOnce(): Promise<void> {
    const connection = await connect({
      servers: [...this.#options.urls()],
      ...authentication(this.#options),
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      // Credentials are renewed while the client tries, so one refusal must not end it.
      ignoreAuthErrorAbort: true,
    });
    this.#connection = connection;
    try {
      if (!this.#closed) await this.#listen(connection);
    } finally {
      await connection.close();
      this.#report(false);
    }
  }

  async #listen(connection: NatsConnection): Promise<void> {
    const subscription = connection.subscribe(this.#options.subject, {
      callback: (error, message) => this.#receive(connection, error, message),
    });
    const watching = this.#watch(connection, subscription);
    await this.#reportInForce(connection, subscription);
    const error = await connection.closed();
    await watching;
    if (error) throw error;
  }

  async #watch(connection: NatsConnection, subscription: Subscription): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#breaks++;
        this.#report(false);
      } else if (status.type === 'error') this.#warn('the bus reported an error', status.error);
      // Not awaited: while the bus refuses the connection, no answer comes, and statuses would queue up behind it, to
      // be processed later although they are outdated.
      else if (status.type === 'reconnect') void this.#reportInForce(connection, subscription).catch(() => {});
    }
  }

  /** The answer to a flush follows the subscription: unless the server refused the subscription, it is active then. */
  async #reportInForce(connection: NatsConnection, subscription: Subscription): Promise<void> {
    const breaks = this.#breaks;
    // A refused subscription closes the connection, and then the flush is never answered.
    await Promise.race([connection.flush(), connection.closed()]);
    if (breaks === this.#breaks && !connection.isClosed() && !subscription.isClosed()) this.#report(true);
  }

  #receive(connection: NatsConnection, error: Error | null, message: Msg): void {
    if (this.#closed) return;
    if (error) {
      // The subscription stays dead on this connection, even with new credentials: a new connection is needed.
      this.#warn('the subscription was refused', error);
      connection.close().catch((reason: unknown) => this.#warn('the bus could not be closed', reason));
      return;
    }
    let decoded: ReturnType<typeof decode>;
    try {
      decoded = decode(message.data);
    } catch (reason) {
      this.#warn('a message could not be read', reason);
      return;
    }
    this.#options.onMessage(decoded);
  }

  #report(connected: boolean): void {
    if (!this.#closed) this.#options.onStatus(connected);
  }

  #warn(message: string, error: unknown): void {
    if (!this.#closed) this.#log('warn', message, { error: error instanceof Error ? error.message : String(error) });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RECONNECT_WAIT_MS * (1 + Math.random()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function decode(data: Uint8Array) {
  return fromBinary(SessionMessageSchema, data, { readUnknownFields: false });
}

/** The functions are called for each connection, so a reconnect uses the newest credentials. */
function authentication({ credentials }: BusOptions): { authenticator?: Authenticator } {
  if (!credentials()?.jwt) return {};
  return {
    authenticator: jwtAuthenticator(
      () => credentials()?.jwt ?? '',
      () => encoder.encode(credentials()?.seed ?? ''),
    ),
  };
}
