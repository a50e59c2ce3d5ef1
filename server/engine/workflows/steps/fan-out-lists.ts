/**
 * The lists that fan-outs go over, from one transaction that starts items to the next: a list may be many megabytes, and what it is made
 * from does not change any more once its step runs.
 */
import type { StepKey } from '../../ports/workflows.ts';

/** Those that were used last; the others are made again. */
const MAX_LISTS = 8;

export class FanOutLists {
  readonly #lists = new Map<string, readonly unknown[]>();

  async of(key: StepKey, make: () => Promise<readonly unknown[]>): Promise<readonly unknown[]> {
    const list = this.#lists.get(nameOf(key)) ?? (await make());
    this.forget(key);
    this.#lists.set(nameOf(key), list);
    if (this.#lists.size > MAX_LISTS) this.#lists.delete(this.#lists.keys().next().value as string);
    return list;
  }

  /** No item of it is to start any more. */
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
