/**
 * The engine's only loop: the rounds of one part, one at a time. A loop begins at a random point of its interval and
 * each interval varies a little, so that the parts of a replica, and the replicas of a deployment, do not run in step.
 */
import type { Log, Random, Timer, Timers } from './ports/ports.ts';

/** Fraction of an interval, up or down. */
export const MAX_JITTER = 0.1;

export function jittered(ms: number, random: Pick<Random, 'next'>): number {
  return ms * (1 - MAX_JITTER + 2 * MAX_JITTER * random.next());
}

export interface LoopParts {
  /** Completes "could not look after …" in the log. */
  readonly name: string;
  /** From the end of a round to the next one, on average. */
  readonly everyMs: number;
  /**
   * One round. Resolves with the time to the next one in ms, 0 if there is more work now; undefined: the interval.
   * A rejection is logged, and the next round comes after the interval.
   */
  readonly run: () => Promise<number | undefined> | Promise<void>;
  /** While it is true no round is scheduled; `start` or a hint ends that. Default: never. */
  readonly isIdle?: () => boolean;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

export class Loop {
  readonly #parts: LoopParts;
  #timer: Timer | undefined;
  #hint: Timer | undefined;
  #round: Promise<void> | undefined;
  /** The round after the current one; set when a hint came during it. */
  #following: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#round !== undefined;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Schedules the first round, by default at a random point of the interval. No effect if a round is scheduled. */
  start(firstMs = this.#parts.everyMs * this.#parts.random.next()): void {
    if (!this.#timer && !this.#round) this.#schedule(firstMs);
  }

  /** A hint that there may be work: a round begins at once, or within `ms`. */
  wake(ms = 0): void {
    if (ms === 0) void this.runOnce();
    else if (!this.#stopped) this.#hint ??= this.#parts.timers.after(ms, () => void this.runOnce());
  }

  /**
   * Resolves at the end of a round that began after the call: at once, or after the current round. All calls during a
   * round share the one that follows it. Never rejects; after `stop` it does nothing.
   */
  runOnce(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (this.#round) this.#following ??= this.#round.then(() => this.#begin());
    return this.#following ?? this.#begin();
  }

  /** Resolves once the current round is over. No round begins afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimers();
    await this.#round;
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    if (ms === 0) void this.#begin();
    else this.#timer = this.#parts.timers.after(ms, () => void this.runOnce());
  }

  #cancelTimers(): void {
    this.#timer?.cancel();
    this.#hint?.cancel();
    this.#timer = undefined;
    this.#hint = undefined;
  }

  #begin(): Promise<void> {
    this.#following = undefined;
    if (this.#stopped) return Promise.resolve();
    this.#cancelTimers();
    // Set before the round begins: a hint from within the round must find it running.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#round = promise;
    void this.#run().then((nextMs) => {
      this.#round = undefined;
      resolve();
      if (this.#following || this.#parts.isIdle?.()) return;
      this.#schedule(nextMs ?? jittered(this.#parts.everyMs, this.#parts.random));
    });
    return promise;
  }

  async #run(): Promise<number | undefined> {
    const { name, run, log } = this.#parts;
    try {
      return (await run()) ?? undefined;
    } catch (error) {
      log.warn({ error: String(error) }, `could not look after ${name}; the next round tries again`);
      return undefined;
    }
  }
}
