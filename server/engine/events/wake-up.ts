/** Wakes a reader that looks for news by itself: whoever was slow is told at once, and only once. */
export class WakeUp {
  #isWoken = false;
  #resume: (() => void) | undefined;

  readonly wake = (): void => {
    this.#isWoken = true;
    this.#resume?.();
  };

  /** Resolves at the first wake since it last did. */
  async woken(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#isWoken = false;
  }
}
