/** Queues: made by hand or by the first job that waits in them; held and let go for all of their jobs at once. */

import type { BacklogBounds } from '../domain/backlog.ts';
import type { JobState } from '../domain/job-state.ts';
import type { RateLimit } from '../domain/limits.ts';
import type { Announcer } from './announcer.ts';
import type { Backlogs, BoundedQueue } from './backlogs.ts';
import { retryCollisions } from './collisions.ts';
import { asEngineError, EngineError } from './errors.ts';
import type { Random, Timers } from './ports.ts';
import type { Waiting } from './queue-backlog.ts';
import { once, type RequestKey } from './requests.ts';
import type { LaneHead, Store } from './store-port.ts';

export interface QueueName {
  readonly namespace: string;
  readonly name: string;
}

/** Open jobs by state, without those states that have none. What a session holds counts as ASSIGNED. */
export type QueueCounts = Partial<Record<JobState, number>>;

/** What a person may set. */
export interface QueueSettings extends BacklogBounds {
  readonly description: string;
  /** Undefined: no limit. */
  readonly maxConcurrency: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** Of the keys whose weight is not 1. */
  readonly fairnessWeights: Readonly<Record<string, number>>;
}

export interface Queue extends QueueName, QueueSettings {
  readonly paused: boolean;
  readonly pauseReason: string;
  readonly createTimeUs: number;
  /** Another one after each change. */
  readonly etag: string;
  readonly counts: QueueCounts;
}

export interface QueueUpdate {
  /** What is left out stays. */
  readonly settings: Partial<QueueSettings>;
  /** That the queue must have; empty: any. */
  readonly etag: string;
}

export interface QueuePage {
  /** By name; as many as were asked for, or fewer where they are large: at least one if there is one. */
  readonly queues: readonly Queue[];
  readonly hasMore: boolean;
}

/** What became of a change of a queue. */
export type QueueChange =
  /** `letGo`: lanes that were held back and are no more. */
  | { readonly kind: 'done'; readonly queue: Queue; readonly letGo: readonly number[] }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'stale'; readonly etag: string }
  | { readonly kind: 'notEmpty'; readonly openJobs: number };

/** Each is one transaction; a refusal has changed nothing. */
export interface QueueStore {
  read(queue: QueueName): Promise<Queue | undefined>;
  /** Empty `afterName`: from the first. */
  list(namespace: string, afterName: string, limit: number): Promise<QueuePage>;
  create(queue: QueueName, settings: Partial<QueueSettings>): Promise<QueueChange>;
  update(queue: QueueName, update: QueueUpdate): Promise<QueueChange>;
  /** Once it has answered, no job of the queue is assigned. An empty reason leaves the one that is there. */
  pause(queue: QueueName, reason: string): Promise<QueueChange>;
  resume(queue: QueueName): Promise<QueueChange>;
  delete(queue: QueueName): Promise<QueueChange>;
  /** Lowest ranks of those of the lanes that have ready jobs. */
  readHeads(laneIds: readonly number[]): Promise<LaneHead[]>;
  /** Queues with bounds, by name. */
  readBounded(limit: number): Promise<BoundedQueue[]>;
  /** What waits in a queue; since when, only where it is asked for. */
  readBacklog(queue: QueueName, withAge: boolean): Promise<Waiting>;
  /** One step of bounded work on the counts; whether there may be more to do. */
  foldCounts(): Promise<boolean>;
}

export interface QueuesParts {
  readonly store: Pick<Store, 'queues' | 'together'>;
  readonly timers: Timers;
  readonly random: Random;
  /** Told of bounds as soon as they hold. */
  readonly backlogs: Pick<Backlogs, 'learn'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

type Work = (store: QueueStore) => Promise<QueueChange>;

/** Each rejects with an EngineError: QUEUE_NOT_FOUND, and what its RPC says. */
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

  /** The queue after the change; after a repeat, as it is now. */
  async #changed(queue: QueueName, request: RequestKey | undefined, work: Work): Promise<Queue> {
    const change = await this.#change(queue, request, work);
    if (change?.kind !== 'done') return this.get(queue);
    this.#parts.backlogs.learn(change.queue);
    await this.#hint(change.letGo);
    return change.queue;
  }

  /** What was done; undefined: a call with this request id was carried out before. What is refused leaves the id free. */
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

  /** Read once the change is committed: of what became ready meanwhile, a claim may have been told that it is held back. */
  async #hint(laneIds: readonly number[]): Promise<void> {
    if (laneIds.length === 0) return;
    // Without it the next scan of the lanes finds them, within a second.
    const heads = await this.#parts.store.queues.readHeads(laneIds).catch(() => []);
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
