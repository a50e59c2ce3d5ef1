/** The session's subscription, and whether pings arrive over it. */
import type { SessionMessage } from '../../../gen/muster/worker/v1/assignment_pb.ts';
import type { NatsCredentials } from '../../../gen/muster/worker/v1/session_pb.ts';
import type { OpenSessionResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { HEARING_TIME } from '../base/limits.ts';
import type { Bus, BusConnection, Clock } from '../base/ports.ts';

export interface BusLinkOwner {
  received(message: SessionMessage): void;
  /** The subscription is active; no ping has arrived yet. */
  connected(): void;
  /** The connection broke: messages in flight may be lost. */
  broken(): void;
  /** The first ping over the current connection has arrived. */
  gotPing(): void;
}

export class BusLink {
  readonly #clock: Clock;
  readonly #owner: BusLinkOwner;
  #connection: BusConnection | undefined;
  #urls: readonly string[] = [];
  #credentials: NatsCredentials | undefined;
  #echo = 0n;
  /** When the subscription became active. `undefined`: it is not. */
  #connectedAt: number | undefined;
  #gotPing = false;
  #closed = false;

  constructor(clock: Clock, owner: BusLinkOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  open(bus: Bus, { natsUrls, subject, natsCredentials }: OpenSessionResponse): void {
    this.#urls = natsUrls;
    this.#credentials = natsCredentials;
    this.#connection = bus.connect({
      urls: () => this.#urls,
      subject,
      credentials: () => this.#credentials,
      onMessage: (message) => this.#receive(message),
      onStatus: (connected) => this.#changed(connected),
    });
  }

  /** Highest ping received in this session. 0: none. */
  get echo(): bigint {
    return this.#echo;
  }

  /** The next connection uses these. */
  renewCredentials(credentials: NatsCredentials): void {
    this.#credentials = credentials;
  }

  /**
   * Replaces a connection that delivers nothing. A new connection gets time to deliver a ping, and a missing one is
   * already being opened: replacing these repeatedly would leave the session without a bus for ever. Without a
   * connection, the attempts at one end when the bus has other addresses.
   */
  reconnect(urls: readonly string[]): void {
    const isMoved = urls.length > 0 && urls.join() !== this.#urls.join();
    const isDue = this.#connectedAt === undefined ? isMoved : this.#clock.now() >= this.#connectedAt + HEARING_TIME;
    if (!isDue) return;
    if (isMoved) this.#urls = urls;
    this.#connection?.reconnect();
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  #receive(message: SessionMessage): void {
    if (this.#closed) return;
    this.#owner.received(message);
    if (message.ping <= this.#echo) return;
    this.#echo = message.ping;
    if (this.#gotPing) return;
    this.#gotPing = true;
    this.#owner.gotPing();
  }

  #changed(connected: boolean): void {
    if (this.#closed) return;
    if (connected) {
      this.#connectedAt = this.#clock.now();
      // A ping may arrive before the notice that the subscription is active; credits granted on it stay valid.
      this.#owner.connected();
      return;
    }
    const broke = this.#connectedAt !== undefined || this.#gotPing;
    this.#connectedAt = undefined;
    this.#gotPing = false;
    if (broke) this.#owner.broken();
  }
}
