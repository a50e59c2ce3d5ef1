/** The session's subscription, and whether anything is heard over it. */
import type { SessionMessage } from '../../gen/muster/v1/assignment_pb.ts';
import type { NatsCredentials, OpenSessionResponse } from '../../gen/muster/v1/session_service_pb.ts';
import { HEARING_TIME } from './limits.ts';
import type { Bus, BusConnection, Clock } from './ports.ts';

export interface BusLinkOwner {
  received(message: SessionMessage): void;
  /** The subscription is in force; nothing was heard over it yet. */
  connected(): void;
  /** The connection broke: what was on its way may be lost. */
  broken(): void;
  /** The first ping over the present connection has arrived. */
  gotPing(): void;
}

export class BusLink {
  readonly #clock: Clock;
  readonly #owner: BusLinkOwner;
  #connection: BusConnection | undefined;
  #credentials: NatsCredentials | undefined;
  #echo = 0n;
  /** When the subscription came into force. `undefined`: it is not. */
  #connectedAt: number | undefined;
  #gotPing = false;
  #closed = false;

  constructor(clock: Clock, owner: BusLinkOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  open(bus: Bus, { natsUrls, subject, natsCredentials }: OpenSessionResponse): void {
    this.#credentials = natsCredentials;
    this.#connection = bus.connect({
      urls: natsUrls,
      subject,
      credentials: () => this.#credentials,
      onMessage: (message) => this.#receive(message),
      onStatus: (connected) => this.#changed(connected),
    });
  }

  /** Highest ping heard in this session. 0: none. */
  get echo(): bigint {
    return this.#echo;
  }

  /** To be used from the next connection on. */
  renewCredentials(credentials: NatsCredentials): void {
    this.#credentials = credentials;
  }

  /**
   * Gives the connection up that brings nothing. One that is new has had no time to, and where there is none another one
   * is on its way: giving up on these over and over would leave the session deaf for ever.
   */
  reconnect(): void {
    if (this.#connectedAt === undefined || this.#clock.now() < this.#connectedAt + HEARING_TIME) return;
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
      // A ping may have come before the word that the subscription is in force: what it granted stays good.
      this.#owner.connected();
      return;
    }
    const broke = this.#connectedAt !== undefined || this.#gotPing;
    this.#connectedAt = undefined;
    this.#gotPing = false;
    if (broke) this.#owner.broken();
  }
}
