/**
 * A replica's connection to the bus. It reconnects for ever. Publishing never throws and never queues without bound: a
 * message that can't be sent now is dropped, because everything on the bus is a hint.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection, Status } from '@nats-io/transport-node';
import { errors } from '@nats-io/transport-node';
import type { Log } from '../engine/ports/ports.ts';
import { type ClientOptions, openClient, openFirstClient } from './client.ts';

export interface ConnectionOptions extends ClientOptions {
  readonly log: Log;
  /** Maximum time of the first connection, in ms. Default: 10,000. */
  readonly firstConnectMs?: number | undefined;
}

interface Subscription {
  readonly subject: string;
  readonly onMessage: (data: Uint8Array) => void;
}

/** Maximum bytes sent to a server that has not confirmed them. */
const maxUnconfirmedBytes = 32 * 1024 * 1024;
const dropLogMs = 10_000;
const closeFlushMs = 1_000;
const renewMs = 500;
/** Of a server that has not answered yet: NATS' own default. */
const assumedMaxPayload = 1024 * 1024;

export class BusConnection {
  readonly #options: ConnectionOptions;
  readonly #log: Log;
  readonly #subscriptions: Subscription[] = [];
  readonly #reconnectListeners: (() => void)[] = [];
  readonly #closing = new AbortController();
  /** Undefined until a server has answered. */
  #client: NatsConnection | undefined;
  #renewal: Promise<void> = Promise.resolve();
  #isRenewing = false;
  #connected: boolean;
  /** No server has answered yet. */
  #isFirst: boolean;
  #maxPayload: number;
  #published = 0;
  #confirmed = 0;
  #dropped = 0;
  #dropLogTime = Number.NEGATIVE_INFINITY;

  private constructor(client: NatsConnection | undefined, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#log = options.log;
    this.#connected = client !== undefined;
    this.#isFirst = client === undefined;
    this.#maxPayload = client?.info?.max_payload ?? assumedMaxPayload;
    if (client) void this.#watch(client);
    else this.#startRenewal();
  }

  /** Down at first; connects as soon as a server answers. */
  static openLater(options: ConnectionOptions): BusConnection {
    return new BusConnection(undefined, options);
  }

  /** @throws BusUnreachable if no server answers in time; Error if one refuses the credentials. */
  static async open(options: ConnectionOptions): Promise<BusConnection> {
    return new BusConnection(await openFirstClient(options, options.firstConnectMs ?? 10_000), options);
  }

  /** The current client; it is replaced if its server does not answer. Undefined: none has answered yet. */
  get client(): NatsConnection | undefined {
    return this.#client;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Maximum message size of the server, in bytes; the last server's while disconnected. */
  get maxPayload(): number {
    return this.#maxPayload;
  }

  /** Bytes published so far. */
  get published(): number {
    return this.#published;
  }

  /** The server has received everything up to this number of published bytes. */
  confirm(published: number): void {
    this.#confirmed = Math.max(this.#confirmed, published);
  }

  /**
   * Sent at the end of the running task, or dropped. The bytes must not be changed afterwards.
   *
   * @param maxUnconfirmed The message is dropped if more bytes than this are unconfirmed.
   */
  publish(subject: string, data: Uint8Array, maxUnconfirmed = maxUnconfirmedBytes): void {
    const obstacle = this.#obstacle(data.length, maxUnconfirmed);
    if (obstacle !== undefined) {
      this.#drop(obstacle);
      return;
    }
    try {
      this.#client?.publish(subject, data);
      this.#published += data.length;
    } catch (error) {
      this.#drop((error as Error).message);
    }
  }

  /** Stays active across reconnects. */
  subscribe(subject: string, onMessage: (data: Uint8Array) => void): void {
    const subscription = { subject, onMessage };
    this.#subscriptions.push(subscription);
    this.#listen(subscription);
  }

  onReconnect(listener: () => void): void {
    this.#reconnectListeners.push(listener);
  }

  /** Sends published messages, for at most a second, and closes. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#connected) {
      const abort = new AbortController();
      const flushed = this.#client?.flush().catch(() => undefined);
      await Promise.race([flushed, delay(closeFlushMs, undefined, { signal: abort.signal }).catch(() => undefined)]);
      abort.abort();
    }
    await this.#renewal;
    await this.#client?.close();
  }

  #obstacle(bytes: number, maxUnconfirmed: number): string | undefined {
    if (!this.#connected) return 'the bus is down';
    if (bytes > this.#maxPayload) return 'larger than max_payload';
    if (this.#published - this.#confirmed > maxUnconfirmed) return 'the bus is slow';
    return undefined;
  }

  #listen({ subject, onMessage }: Subscription): void {
    this.#client?.subscribe(subject, {
      callback: (error, message) => {
        if (error) this.#log.error({ subject, error: error.message }, 'the bus refused a subscription');
        else onMessage(message.data);
      },
    });
  }

  async #watch(client: NatsConnection): Promise<void> {
    for await (const status of client.status()) {
      if (client === this.#client) this.#note(status);
    }
  }

  #note(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        if (this.#connected) this.#log.warn({ server: status.server }, 'lost the connection to the bus');
        this.#connected = false;
        break;
      case 'reconnect':
        this.#returned(status.server);
        break;
      case 'error':
        this.#log.error({ error: status.error.message }, 'the bus reports an error');
        break;
      case 'staleConnection':
        this.#log.warn({}, 'the bus does not answer; connecting anew');
        this.#startRenewal();
        break;
      case 'close':
        // The client closed by itself, for example because its credentials can't be used: it never reconnects.
        this.#startRenewal();
        break;
    }
  }

  /** No effect while a renewal runs, which closes the client itself, and while the connection closes. */
  #startRenewal(): void {
    this.#connected = false;
    if (this.#isRenewing || this.#closing.signal.aborted) return;
    this.#isRenewing = true;
    this.#renewal = this.#renew(this.#client).finally(() => {
      this.#isRenewing = false;
    });
  }

  /**
   * Replaces a client that is closed, or whose server does not answer. The client itself would first send its buffer,
   * and so wait as long as the operating system believes in the connection: a quarter of an hour.
   */
  async #renew(stuck: NatsConnection | undefined): Promise<void> {
    const { signal } = this.#closing;
    await stuck?.close();
    while (!signal.aborted) {
      let client: NatsConnection;
      try {
        client = await openClient(this.#options);
      } catch (error) {
        if (error instanceof errors.AuthorizationError) this.#drop('the bus refuses the credentials');
        await delay(renewMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      this.#client = client;
      void this.#watch(client);
      for (const subscription of this.#subscriptions) this.#listen(subscription);
      this.#returned(client.getServer());
      return;
    }
  }

  #returned(server: string): void {
    this.#maxPayload = this.#client?.info?.max_payload ?? this.#maxPayload;
    // Unsent messages of the old connection are lost.
    this.#confirmed = this.#published;
    this.#connected = true;
    this.#log.info(
      { server, dropped: this.#dropped },
      this.#isFirst ? 'connected to the bus' : 'connected to the bus again',
    );
    this.#dropped = 0;
    this.#isFirst = false;
    for (const listener of this.#reconnectListeners) listener();
  }

  #drop(reason: string): void {
    this.#dropped += 1;
    if (performance.now() - this.#dropLogTime < dropLogMs) return;
    this.#dropLogTime = performance.now();
    this.#log.warn({ reason, dropped: this.#dropped }, 'hints to the bus are dropped');
  }
}
