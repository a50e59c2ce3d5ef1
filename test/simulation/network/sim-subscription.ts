/** A session's connection to the simulated bus: reconnects by itself, and may be deaf without knowing it. */
import type { SessionMessage } from '../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import type { BusConnection, BusOptions } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { Process } from '../core/process.ts';

export interface SubscriptionParts {
  readonly world: World;
  readonly random: Prng;
  readonly process: Process;
  readonly options: BusOptions;
  readonly isDown: () => boolean;
  readonly closed: () => void;
}

export class SimSubscription implements BusConnection {
  readonly #parts: SubscriptionParts;
  /** Number of connections; 0: not connected. */
  #connection = 0;
  #lastConnection = 0;
  #deaf: 'no' | 'this connection' | 'every connection' = 'no';
  #closed = false;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#connectSoon(1, 30);
  }

  get subject(): string {
    return this.#parts.options.subject;
  }

  /** The worker of this connection, over all of its lives. */
  get owner(): string {
    return this.#parts.process.slot;
  }

  receive(message: () => SessionMessage): void {
    if (this.#connection === 0 || this.#deaf !== 'no') return;
    this.#parts.process.deliver(() => {
      if (!this.#closed) this.#parts.options.onMessage(message());
    });
  }

  reconnect(): void {
    if (this.#closed || this.#connection === 0) return;
    this.#disconnected();
    this.#connectSoon(5, 50);
  }

  close(): void {
    this.#closed = true;
    this.#parts.closed();
  }

  /** The server went away; this end notices at once or after a while. */
  break(): void {
    const { world, random } = this.#parts;
    const connection = this.#connection;
    if (connection === 0) return;
    world.after(random.chance(0.7) ? 1 : random.between(1, 2_500), () => {
      if (this.#connection !== connection) return;
      this.#disconnected();
      this.#connectSoon(5, 400);
    });
  }

  deafen(stays: boolean): void {
    this.#deaf = stays ? 'every connection' : 'this connection';
  }

  handle(): void {
    this.#deaf = 'no';
  }

  #connectSoon(minMs: number, maxMs: number): void {
    const { world, random, process, isDown } = this.#parts;
    world.after(random.between(minMs, maxMs), () => {
      if (this.#closed || !process.alive || this.#connection !== 0) return;
      if (isDown() || process.paused) return this.#connectSoon(200, 400);
      this.#connection = ++this.#lastConnection;
      if (this.#deaf === 'this connection') this.#deaf = 'no';
      this.#report(true);
    });
  }

  #disconnected(): void {
    this.#connection = 0;
    this.#report(false);
  }

  #report(connected: boolean): void {
    this.#parts.process.deliver(() => {
      if (!this.#closed) this.#parts.options.onStatus(connected);
    });
  }
}
