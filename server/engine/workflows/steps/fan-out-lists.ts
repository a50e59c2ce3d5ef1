/**
 * Caches fan-out lists, as texts of their items, between the transactions that start items. A list may have many
 * megabytes, and its inputs do not change once the step runs.
 */
import { RecentMap } from '../../base/recent-map.ts';
import type { StepKey } from '../../ports/workflows.ts';

/** Max cached lists, those used last; others are computed again. */
const MAX_LISTS = 8;

export class FanOutLists {
  readonly #lists = new RecentMap<string, readonly string[]>(MAX_LISTS);

  async of(key: StepKey, make: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const list = this.#lists.get(nameOf(key)) ?? (await make());
    this.#lists.set(nameOf(key), list);
    return list;
  }

  /** All of its items have been started. */
  forget(key: StepKey): void {
    this.#lists.delete(nameOf(key));
  }

  /** The workflow has ended. */
  forgetAll(jobId: string): void {
    for (const name of this.#lists.keys()) if (name.startsWith(`${jobId}/`)) this.#lists.delete(name);
  }
}

function nameOf({ jobId, step }: StepKey): string {
  return `${jobId}/${step}`;
}
