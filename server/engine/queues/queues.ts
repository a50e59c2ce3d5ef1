/** Queues: created by a call or by the first job in them; paused and resumed for all of their jobs at once. */

import type { Announcer } from '../announcer.ts';
import { retryCollisions } from '../base/collisions.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { Random, Timers } from '../ports/ports.ts';
import type {
  Queue,
  QueueChange,
  QueueName,
  QueuePage,
  QueueSettings,
  QueueTransactions,
  QueueUpdate,
} from '../ports/queues.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import type { Backlogs } from './backlogs.ts';

export interface QueuesParts {
  readonly store: Pick<Store, 'queues' | 'readHeadsOf' | 'together'>;
  readonly timers: Timers;
  readonly random: Random;
  /** Notified of new bounds as soon as they apply. */
  readonly backlogs: Pick<Backlogs, 'learn'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

type Work = (store: QueueTransactions) => Promise<QueueChange>;

/** Each method rejects with an EngineError: QUEUE_NOT_FOUND, and the errors of its RPC. */
export class Queues {
  readonly #parts: QueuesParts;

  constructor(parts: QueuesParts) {
    this.#parts = parts;
  }

  async get(queue: QueueName): Promise<Queue> {
    const found = await this.#parts.store.queues.read(queue);
    if (!found) throw queueNotFound(queue);
    return found;
  }

  list(namespace: string, afterName: string, limit: number): Promise<QueuePage> {
    return this.#parts.store.queues.list(namespace, afterName, limit);
  }

  create(queue: QueueName, settings: Partial<QueueSettings>, request: RequestKey | undefined): Promise<Queue> {
    return this.#changed(queue, request, (store) => store.create(queue, settings));
  }

  update(queue: QueueName, update: QueueUpdate, request: RequestKey | undefined): Promise<Queue> {
    return this.#changed(queue, request, (store) => store.update(queue, update));
  }

  pause(queue: QueueName, reason: string, request: RequestKey | undefined): Promise<Queue> {
    return this.#changed(queue, request, (store) => store.pause(queue, reason));
  }

  resume(queue: QueueName, request: RequestKey | undefined): Promise<Queue> {
    return this.#changed(queue, request, (store) => store.resume(queue));
  }

  async delete(queue: QueueName, request: RequestKey | undefined): Promise<void> {
    await this.#change(queue, request, (store) => store.delete(queue));
    this.#parts.backlogs.learn({ ...queue, maxBacklog: 0, maxBacklogAgeMs: null });
  }

  /** The queue after the change; for a repeat, in its current state. */
  async #changed(queue: QueueName, request: RequestKey | undefined, work: Work): Promise<Queue> {
    const change = await this.#change(queue, request, work);
    if (change?.kind !== 'done') return this.get(queue);
    this.#parts.backlogs.learn(change.queue);
    await this.#hint(change.reopened);
    return change.queue;
  }

  /** Undefined: a call with this request id was carried out before. A refused call leaves the id unused. */
  async #change(queue: QueueName, request: RequestKey | undefined, work: Work): Promise<QueueChange | undefined> {
    const { store } = this.#parts;
    const first = async (inner: Pick<Store, 'queues'>) => {
      const change = await work(inner.queues);
      if (change.kind === 'done' || change.kind === 'deleted') return change;
      throw refusalOf(queue, change);
    };
    try {
      const result = await retryCollisions(this.#parts, () => once(store, queue.namespace, request, first));
      return result.repeated ? undefined : result.value;
    } catch (error) {
      throw asEngineError(error);
    }
  }

  /**
   * Reads the heads after the commit: a claim before it may have seen the closed gate and cleared a lane's head,
   * although jobs became ready meanwhile.
   */
  async #hint(laneIds: readonly number[]): Promise<void> {
    if (laneIds.length === 0) return;
    // If the read fails, the next scan of the lanes finds them within a second.
    const heads = await this.#parts.store.readHeadsOf(laneIds).catch(() => []);
    this.#parts.announcer.committed({ ready: heads });
  }
}

function queueNotFound({ namespace, name }: QueueName): EngineError {
  return new EngineError(
    'QUEUE_NOT_FOUND',
    `namespace ${namespace} has no queue ${name}; CreateQueue makes it, and so does the first job that waits in it`,
    { metadata: { namespace, queue: name } },
  );
}

function refusalOf(queue: QueueName, change: QueueChange): EngineError {
  const { namespace, name } = queue;
  const metadata = { namespace, queue: name };
  switch (change.kind) {
    case 'exists':
      return new EngineError(
        'QUEUE_EXISTS',
        `namespace ${namespace} has a queue ${name} already; UpdateQueue changes it`,
        { metadata },
      );
    case 'stale':
      return new EngineError(
        'ETAG_STALE',
        `queue ${name} has changed since it was read: read it again, and repeat the change with its new etag`,
        { metadata: { ...metadata, etag: change.etag } },
      );
    case 'notEmpty':
      return new EngineError(
        'QUEUE_NOT_EMPTY',
        `queue ${name} has ${change.openJobs} open jobs: let them end, or cancel them with CancelJobs, and try again`,
        { metadata: { ...metadata, open_jobs: String(change.openJobs) } },
      );
    default:
      return queueNotFound(queue);
  }
}
