/** Asks all handlers of a paused queue to stop, and lets them run on when it is resumed. */

import { decideEvict, decideKeep } from '../../../domain/jobs/pause.ts';
import type { Bus } from '../../ports/ports.ts';
import type { QueueName } from '../../ports/queues.ts';
import type { Store } from '../../ports/store.ts';
import type { Changes, DecideJob } from './changes.ts';
import { changeAndNotify } from './suspend-notices.ts';

export interface EvictionsParts {
  readonly store: Pick<Store, 'readHeldOfQueue'>;
  readonly changes: Changes;
  readonly bus: Pick<Bus, 'suspend'>;
}

const PAGE = 1_000;

/** Each method pages through the attempts that are open as it begins; a repeat does what is left. */
export class Evictions {
  readonly #parts: EvictionsParts;

  constructor(parts: EvictionsParts) {
    this.#parts = parts;
  }

  /** `graceMs`: undefined: that of each definition. */
  evict(queue: QueueName, reason: string, graceMs: number | undefined): Promise<void> {
    const why = `queue ${queue.name} is paused${reason && `: ${reason}`}`;
    return this.#change(queue, false, (run, nowUs, { cancelGraceMs }) =>
      decideEvict(run, graceMs ?? cancelGraceMs, why, nowUs),
    );
  }

  keep(queue: QueueName): Promise<void> {
    return this.#change(queue, true, decideKeep);
  }

  async #change(queue: QueueName, suspended: boolean, decide: DecideJob): Promise<void> {
    const { store } = this.#parts;
    const { namespace } = queue;
    for (let afterJobId: string | undefined; ; ) {
      const jobIds = await store.readHeldOfQueue(queue, { afterJobId, limit: PAGE, suspended });
      await changeAndNotify(this.#parts, { by: 'jobs', namespace, jobIds }, decide);
      afterJobId = jobIds.at(-1);
      if (jobIds.length < PAGE) return;
    }
  }
}
