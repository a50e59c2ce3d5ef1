/** A replica's pings to itself through the bus: they show whether the bus is up, and how far the server has read. */
import type { BusConnection } from './connection.ts';

const roundMs = 500;
/** Consecutive rounds without an echo after which the bus counts as down. */
const toleratedRounds = 2;
/** After this many bytes since the last ping, another one is sent early, to confirm them. */
const confirmBytes = 4 * 1024 * 1024;
/** Maximum pings that wait for their echo; the oldest is dropped first. */
const maxPending = 64;

export class Loopback {
  readonly #connection: BusConnection;
  readonly #subject: string;
  readonly #timer: NodeJS.Timeout;
  /** Published bytes at the time of each unanswered ping, by its counter. */
  readonly #pending = new Map<number, number>();
  #counter = 0;
  #pingedAt = 0;
  #silentRounds = toleratedRounds + 1;
  readonly #gotPing = Promise.withResolvers<void>();

  constructor(connection: BusConnection, subject: string) {
    this.#connection = connection;
    this.#subject = subject;
    connection.subscribe(subject, (data) => this.#onMessage(data));
    connection.onReconnect(() => this.#ping());
    this.#ping();
    this.#timer = setInterval(() => {
      this.#silentRounds += 1;
      this.#ping();
    }, roundMs);
    this.#timer.unref();
  }

  /** Settles with the first echo. */
  get firstEcho(): Promise<void> {
    return this.#gotPing.promise;
  }

  /**
   * Whether a ping came back within the last two rounds. Rounds are counted, not time: a process that was blocked for a
   * while must not take the bus for dead.
   */
  isUp(): boolean {
    return this.#connection.connected && this.#silentRounds <= toleratedRounds;
  }

  /** Must be called after each publish. */
  afterPublish(): void {
    if (this.#connection.published - this.#pingedAt > confirmBytes) this.#ping();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #ping(): void {
    this.#counter += 1;
    this.#pingedAt = this.#connection.published;
    this.#pending.set(this.#counter, this.#pingedAt);
    if (this.#pending.size > maxPending) this.#pending.delete(this.#counter - maxPending);
    const data = new Uint8Array(8);
    new DataView(data.buffer).setFloat64(0, this.#counter);
    // Never dropped: otherwise it could not show when a slow bus has caught up.
    this.#connection.publish(this.#subject, data, Number.POSITIVE_INFINITY);
  }

  #onMessage(data: Uint8Array): void {
    if (data.length !== 8) return;
    const counter = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    const published = this.#pending.get(counter);
    if (published === undefined) return;
    for (const older of this.#pending.keys()) {
      if (older > counter) break;
      this.#pending.delete(older);
    }
    this.#connection.confirm(published);
    this.#silentRounds = 0;
    this.#gotPing.resolve();
  }
}
