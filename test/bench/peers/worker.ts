/** A worker process of a peer, and its reports on the jobs that it ran. */
import type { PeerEvent } from './contract.ts';
import { type PeerProcess, within } from './process.ts';

const HANDLED_MS = 120_000;
const EVENT_MS = 120_000;

export class PeerWorker {
  readonly #process: PeerProcess;
  #handled = 0;
  #waits: number[] = [];

  constructor(process: PeerProcess) {
    this.#process = process;
    process.on((event) => {
      if (event.event === 'handled') this.#handled = event.handled;
      if (event.event === 'waits') this.#waits.push(...event.waits);
    });
  }

  /** Number of handlers that have ended so far. */
  get handled(): number {
    return this.#handled;
  }

  /** Resolves once `total` handlers have ended. */
  untilHandled(total: number, ms = HANDLED_MS): Promise<void> {
    if (this.#handled >= total) return Promise.resolve();
    let stop = () => {};
    const reached = new Promise<void>((resolve) => {
      stop = this.#process.on(() => this.#handled >= total && resolve());
    });
    return within(ms, `to handle ${total} jobs (${this.#handled} at the start of it)`, reached).finally(stop);
  }

  /** Resolves once one more handler has ended. */
  untilMore(): Promise<void> {
    return this.untilHandled(this.#handled + 1);
  }

  /** How long the `clock` jobs since the last call have waited, in milliseconds. */
  takeWaits(): number[] {
    const waits = this.#waits;
    this.#waits = [];
    return waits;
  }

  /** Resolves with the time of the next such event of a `hold` job. Call it before the cause of the event. */
  next(what: 'started' | 'stopped', ms = EVENT_MS): Promise<number> {
    let stop = () => {};
    const received = new Promise<number>((resolve) => {
      stop = this.#process.on((event: PeerEvent) => event.event === what && resolve(event.time));
    });
    return within(ms, `a running job to be ${what}`, received).finally(stop);
  }

  /** Kills the process without a warning. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
