/** Looks for ready jobs that no worker runs: one look at a time, over all lanes of a kind that may have some. */
import type { KnownLane } from '../dispatch/known-lane.ts';

export interface ReadyPollsParts {
  /** Those that may have ready jobs. */
  readonly ready: () => readonly Pick<KnownLane, 'laneId' | 'head'>[];
  /** Jobs that one look takes. */
  readonly most: number;
  /** Takes up to `most` of these lanes. Resolves with how many it has taken. */
  readonly take: (laneIds: readonly number[]) => Promise<number>;
  /** The lanes stay as they are, for `pollAgain`. */
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

  /** Resolves once the look that is under way is over; there is none after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polling;
  }

  /** Lanes may have got ready jobs. After a failure nothing is done: hints may come by the thousand, and it would fail again. */
  poll(): void {
    if (this.#stopped || this.#polling || this.#failed || this.#parts.ready().length === 0) return;
    this.#polling = this.#once().finally(() => {
      this.#polling = undefined;
      this.poll();
    });
  }

  /** Once a round: also after a failure. */
  pollAgain(): void {
    this.#failed = false;
    this.poll();
  }

  async #once(): Promise<void> {
    const { ready, most, take, onFailure } = this.#parts;
    const lanes = ready();
    // A hint that comes while we look sets it again.
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
