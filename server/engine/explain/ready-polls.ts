/**
 * Polls for ready jobs that the control plane runs itself: one poll at a time, over all lanes of a kind that may have
 * some.
 */
import type { KnownLane } from '../dispatch/known-lane.ts';

export interface ReadyPollsParts {
  /** Lanes that may have ready jobs. */
  readonly ready: () => readonly Pick<KnownLane, 'laneId' | 'head'>[];
  /** Max jobs per poll. */
  readonly most: number;
  /** Takes up to `most` ready jobs of these lanes. Resolves with their number. */
  readonly take: (laneIds: readonly number[]) => Promise<number>;
  /** Called when a poll failed. The lanes keep their heads, for `pollAgain`. */
  readonly onFailure: (error: unknown) => void;
}

export class ReadyPolls {
  readonly #parts: ReadyPollsParts;
  #polling: Promise<void> | undefined;
  #failed = false;
  #stopped = false;

  constructor(parts: ReadyPollsParts) {
    this.#parts = parts;
  }

  /** Resolves once the current poll is over; none follows. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polling;
  }

  /**
   * Lanes may have ready jobs. After a failure it does nothing: hints may come by the thousand, and each would fail
   * again.
   */
  poll(): void {
    if (this.#stopped || this.#polling || this.#failed || this.#parts.ready().length === 0) return;
    this.#polling = this.#once().finally(() => {
      this.#polling = undefined;
      this.poll();
    });
  }

  /** Called once per round. Also polls after a failure. */
  pollAgain(): void {
    this.#failed = false;
    this.poll();
  }

  async #once(): Promise<void> {
    const { ready, most, take, onFailure } = this.#parts;
    const lanes = ready();
    // A hint during the poll sets the head again.
    for (const lane of lanes) lane.head = undefined;
    let mayHaveMore = true;
    try {
      mayHaveMore = (await take(lanes.map(({ laneId }) => laneId))) >= most;
    } catch (error) {
      this.#failed = true;
      onFailure(error);
    } finally {
      if (mayHaveMore) for (const lane of lanes) lane.head ??= 0;
    }
  }
}
