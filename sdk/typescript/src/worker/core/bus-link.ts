/** The session's subscription, and whether anything is heard over it. */
import type { SessionMessage } from '../../gen/muster/v1/assignment_pb.ts';
import type { NatsCredentials, OpenSessionResponse } from '../../gen/muster/v1/session_service_pb.ts';
import type { Bus, BusConnection } from './ports.ts';

export interface BusLinkOwner {
  received(message: SessionMessage): void;
  /** The subscription is in force; nothing was heard over it yet. */
  connected(): void;
  /** The connection broke: what was on its way may be lost. */
  broken(): void;
  /** The first ping over the present connection has arrived. */
  heard(): void;
}

export class BusLink {
  readonly #owner: BusLinkOwner;
  #connection: BusConnection | undefined;
  #credentials: NatsCredentials | undefined;
  #echo = 0n;
  #connected = false;
  #heard = false;
  #closed = false;

  constructor(owner: BusLinkOwner) {
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

  reconnect(): void {
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
    if (this.#heard) return;
    this.#heard = true;
    this.#owner.heard();
  }

  #changed(connected: boolean): void {
    if (this.#closed) return;
    const broke = this.#connected && !connected;
    this.#connected = connected;
    this.#heard = false;
    if (connected) this.#owner.connected();
    else if (broke) this.#owner.broken();
  }
}
