/**
 * The parts that take ready jobs. It exists before they do, so that parts that they need, such as the limits, can wake
 * them.
 */
export interface ReadyTaker {
  /** There may be ready jobs that it can take. */
  poll(): void;
}

export class ReadyTakers {
  readonly #takers: ReadyTaker[] = [];
  #isWoken = false;
  #stopped = false;

  /** They are polled in this order. */
  add(...takers: readonly ReadyTaker[]): void {
    this.#takers.push(...takers);
  }

  /** Polls all of them. Several wakes in one turn of the event loop are one. */
  wake(): void {
    if (this.#isWoken || this.#stopped) return;
    this.#isWoken = true;
    queueMicrotask(() => {
      this.#isWoken = false;
      for (const taker of this.#takers) taker.poll();
    });
  }

  stop(): void {
    this.#stopped = true;
  }
}
