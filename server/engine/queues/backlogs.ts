/**
 * The queues with bounds, as known to a replica, and whether they have capacity for jobs. Other queues are not kept.
 */
import { type Backlog, type Entrant, type FirstOverrun, firstOverrun, isBounded } from '../../domain/queues/backlog.ts';
import { readPages } from '../base/pages.ts';
import { Loop, type LoopParts } from '../loop.ts';
import type { BoundedQueue, QueueName, QueueStore } from '../ports/queues.ts';
import { QueueBacklog, type QueueBacklogParts } from './queue-backlog.ts';

export interface BacklogsParts extends QueueBacklogParts, Pick<LoopParts, 'timers' | 'random'> {
  readonly store: { readonly queues: Pick<QueueStore, 'readBounded' | 'readBacklog'> };
}

/** Poll interval. With the poll's own time, bounds set at other replicas are known within a second. */
const POLL_MS = 800;
const PAGE = 1_000;
const FIRST: QueueName = { namespace: '', name: '' };
/** Max age of a reading that may admit jobs. */
const FRESH_MS = 1_000;
/** Max age of a reading that may refuse jobs if the count depends on jobs admitted since: these may have left again. */
const SURE_MS = 100;

/** A job of a call, with its index in the call. */
export interface QueueEntrant extends Entrant {
  readonly index: number;
}

/** The jobs of a call by their queue. */
export type Lines = ReadonlyMap<QueueBacklog, readonly QueueEntrant[]>;

/** The first job of a call that its queue has no capacity for. */
export interface Refused {
  readonly index: number;
  readonly priority: number;
  readonly queue: QueueBacklog;
  /** Without the call's own jobs. */
  readonly backlog: Backlog;
  readonly overrun: FirstOverrun;
}

export class Backlogs {
  readonly #parts: BacklogsParts;
  #queues = new Map<string, QueueBacklog>();
  /** Raised by each change made here: a poll that began before it may have missed it. */
  #learnt = 0;
  readonly #loop: Loop;

  constructor(parts: BacklogsParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'the bounds of queues', everyMs: POLL_MS, run: () => this.refresh() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Reads which queues have bounds. */
  async refresh(): Promise<void> {
    const { queues: store } = this.#parts.store;
    const learnt = this.#learnt;
    const bounded = await readPages<BoundedQueue>(PAGE, (last) => store.readBounded(last ?? FIRST, PAGE));
    if (learnt !== this.#learnt) return;
    const queues = new Map<string, QueueBacklog>();
    for (const queue of bounded) queues.set(keyOf(queue), this.#kept(queue));
    this.#queues = queues;
  }

  /** A queue was changed here: its new bounds apply at once. */
  learn(queue: BoundedQueue): void {
    this.#learnt++;
    if (isBounded(queue)) this.#queues.set(keyOf(queue), this.#kept(queue));
    else this.#queues.delete(keyOf(queue));
  }

  /** Whether any queue has bounds. */
  get hasBounds(): boolean {
    return this.#queues.size > 0;
  }

  find(namespace: string, queue: string): QueueBacklog | undefined {
    return this.#queues.get(`${namespace}/${queue}`);
  }

  /**
   * Admits all jobs of a call, or none: then it returns the first that was refused. The caller settles admitted jobs.
   */
  async admit(lines: Lines): Promise<Refused | undefined> {
    await Promise.all(Array.from(lines.keys(), (queue) => queue.isOlderThan(FRESH_MS) && queue.read()));
    for (;;) {
      const refused = firstRefused(lines);
      if (!refused) break;
      const { queue } = refused;
      if (!queue.isOlderThan(SURE_MS) || !queue.isInDoubt(lines.get(queue) ?? [])) return refused;
      await queue.read();
    }
    // No await since the decision, so nothing was admitted in between.
    for (const [queue, jobs] of lines) queue.accept(readyOf(jobs));
    return undefined;
  }

  /** The admitted jobs are stored, or never will be. */
  settle(lines: Lines): void {
    for (const [queue, jobs] of lines) queue.settle(readyOf(jobs));
  }

  /** Keeps the readings of a queue when its bounds change. */
  #kept(queue: BoundedQueue): QueueBacklog {
    const { namespace, name, maxBacklog, maxBacklogAgeMs } = queue;
    const bounds = { maxBacklog, maxBacklogAgeMs };
    const known = this.#queues.get(keyOf(queue));
    known?.setBounds(bounds);
    return known ?? new QueueBacklog({ namespace, name }, bounds, this.#parts);
  }
}

function keyOf({ namespace, name }: QueueName): string {
  return `${namespace}/${name}`;
}

function readyOf(jobs: readonly QueueEntrant[]): number {
  return jobs.filter(({ isReady }) => isReady).length;
}

function firstRefused(lines: Lines): Refused | undefined {
  let first: Refused | undefined;
  for (const [queue, jobs] of lines) {
    const backlog = queue.backlog();
    const overrun = firstOverrun(queue.bounds, backlog, jobs);
    const job = overrun && jobs[overrun.jobIndex];
    if (overrun && job && job.index < (first?.index ?? Number.POSITIVE_INFINITY))
      first = { index: job.index, priority: job.priority, queue, backlog, overrun };
  }
  return first;
}
