/** Wakes a reader in a loop. A wake while the reader is busy is kept, and several of them count as one. */
export class WakeUp {
  #isWoken = false;
  #resume: (() => void) | undefined;

  readonly wake = (): void => {
    this.#isWoken = true;
    this.#resume?.();
  };

  /** Resolves at the first wake since it last resolved. */
  async woken(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#isWoken = false;
  }
}
