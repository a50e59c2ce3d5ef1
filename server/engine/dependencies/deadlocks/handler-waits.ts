/**
 * Handlers that wait for a job by a call, and hold their places meanwhile. Calls that last are recorded for all replicas, under a
 * lease; now and then each replica looks whether any of its own wait in a circle, and ends those with an error that names it.
 */

import { uuidFromBytes } from '../../../domain/base/uuid.ts';
import { deadlockOf, deadlockText } from '../../../domain/dependencies/deadlock-circle.ts';
import { isTerminal } from '../../../domain/jobs/job-state.ts';
import { EngineError } from '../../base/errors.ts';
import type { EndWaiters } from '../../jobs/read/end-waiters.ts';
import { Loop } from '../../loop.ts';
import type { DeadlockStore, HandlerWait } from '../../ports/deadlocks.ts';
import type { JobView } from '../../ports/jobs.ts';
import type { Clock, Log, Random, Timers } from '../../ports/ports.ts';
import type { DeadlockSearch } from './deadlock-search.ts';

const ROUND_MS = 1_000;
/** A call that lasts for less is written nowhere. */
const RENEW_MS = 5_000;
const LEASE_MS = 15_000;
const SCAN_MS = 3_000;
const WAITS_PER_STATEMENT = 1_000;
const MAX_WAITS = 10_000;
const NAMESPACES_PER_SCAN = 20;
/** Jobs of a namespace whose circles are looked for at a time. */
const MAX_NOTIFIED = 100;

export interface HandlerWaitsParts {
  readonly store: Pick<DeadlockStore, 'saveHandlerWaits' | 'dropHandlerWaits'>;
  readonly search: Pick<DeadlockSearch, 'findDeadlocks'>;
  readonly waits: Pick<EndWaiters, 'wait'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

interface OpenWait extends HandlerWait {
  readonly refused: AbortController;
  /** When it was recorded last. Undefined: it was not. */
  savedMs: number | undefined;
  /** The circle that the look before has found it in: a second one makes sure that it was no passing moment. */
  circle: string | undefined;
}

export class HandlerWaits {
  readonly #parts: HandlerWaitsParts;
  readonly #open = new Map<string, OpenWait>();
  #gone: string[] = [];
  readonly #records: Loop;
  readonly #scans: Loop;
  #scanned = 0;
  #deadlocks = 0;

  constructor(parts: HandlerWaitsParts) {
    this.#parts = parts;
    const shared = { ...parts, isIdle: () => this.#open.size === 0 };
    const record = { name: 'waits of handlers', everyMs: ROUND_MS, run: () => this.#record() };
    this.#records = new Loop({ ...shared, ...record });
    const scan = { name: 'deadlocks of handlers', everyMs: SCAN_MS, run: () => this.#findDeadlocks() };
    this.#scans = new Loop({ ...shared, ...scan });
  }

  /** Calls that were ended here since they waited in a circle. */
  get deadlocks(): number {
    return this.#deadlocks;
  }

  /** As `EndWaiters.wait`, for the handler of `waitingJobId`. Throws DEADLOCK, too. */
  async wait(
    namespace: string,
    jobId: string,
    waitingJobId: string,
    timeoutMs: number,
    gone: AbortSignal,
  ): Promise<JobView> {
    const wait = this.#enter(namespace, jobId, waitingJobId);
    try {
      const until = AbortSignal.any([gone, wait.refused.signal]);
      const job = await this.#parts.waits.wait(namespace, jobId, timeoutMs, until);
      if (wait.refused.signal.aborted && !isTerminal(job.state)) throw deadlock(wait);
      return job;
    } finally {
      this.#leave(wait);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#records.stop(), this.#scans.stop()]);
  }

  #enter(namespace: string, targetJobId: string, jobId: string): OpenWait {
    if (this.#open.size >= MAX_WAITS)
      throw new EngineError('OVERLOADED', 'too many handlers wait for jobs already', { retryAfterMs: 1_000 });
    const waitId = uuidFromBytes(this.#parts.random.bytes16());
    const refused = new AbortController();
    const wait: OpenWait = { waitId, namespace, jobId, targetJobId, refused, savedMs: undefined, circle: undefined };
    this.#open.set(waitId, wait);
    this.#records.start(ROUND_MS);
    this.#scans.start(SCAN_MS);
    return wait;
  }

  #leave({ waitId, savedMs }: OpenWait): void {
    this.#open.delete(waitId);
    if (savedMs === undefined) return;
    // At once: what its job waits for is told by who looks next.
    this.#gone.push(waitId);
    this.#records.wake();
  }

  async #record(): Promise<void> {
    // What can't be dropped goes with its lease.
    const gone = this.#gone;
    this.#gone = [];
    for (const page of pagesOf(gone)) await this.#parts.store.dropHandlerWaits(page);
    await this.#save();
  }

  async #save(): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const due = [...this.#open.values()].filter(
      ({ savedMs = Number.NEGATIVE_INFINITY }) => nowMs - savedMs >= RENEW_MS,
    );
    for (const page of pagesOf(due)) {
      const open = page.filter(({ waitId }) => this.#open.has(waitId));
      // Whoever leaves meanwhile has to be dropped behind it.
      for (const wait of open) wait.savedMs = nowMs;
      await this.#parts.store.saveHandlerWaits(open, LEASE_MS);
    }
  }

  async #findDeadlocks(): Promise<void> {
    const byNamespace = Map.groupBy(this.#open.values(), ({ namespace }) => namespace);
    const all = [...byNamespace];
    const first = (this.#scanned++ * NAMESPACES_PER_SCAN) % Math.max(1, all.length);
    const turn = [...all.slice(first), ...all.slice(0, first)].slice(0, NAMESPACES_PER_SCAN);
    for (const [namespace, waits] of turn) await this.#searchIn(namespace, waits);
  }

  async #searchIn(namespace: string, waits: readonly OpenWait[]): Promise<void> {
    const found = await this.#parts.search.findDeadlocks(namespace);
    if (found?.isCut)
      this.#parts.log.warn({ namespace }, 'more handlers wait for jobs than are looked at: a deadlock may go unseen');
    const stuck = waits.filter(({ jobId, targetJobId }) =>
      [jobId, targetJobId].every((one) => found?.deadlocks.stuck.has(one)),
    );
    const circles = new Map<string, string | undefined>();
    for (const jobId of [...new Set(stuck.map((wait) => wait.jobId))].slice(0, MAX_NOTIFIED)) {
      const one = found && deadlockOf(found.deadlocks, jobId);
      circles.set(jobId, one?.isCircle ? deadlockText(one) : undefined);
    }
    const isStuck = new Set(stuck);
    for (const wait of waits) this.#judge(wait, isStuck.has(wait) ? circles.get(wait.jobId) : undefined);
  }

  /** Whoever waits behind a circle goes on once that is broken: it is left alone. */
  #judge(wait: OpenWait, circle: string | undefined): void {
    const isSure = circle !== undefined && wait.circle !== undefined;
    wait.circle = circle;
    if (!isSure || !this.#open.has(wait.waitId)) return;
    this.#deadlocks++;
    const { namespace, jobId, targetJobId } = wait;
    this.#parts.log.warn({ namespace, jobId, targetJobId, circle }, 'a handler waits in a deadlock: its wait is ended');
    wait.refused.abort();
  }
}

function deadlock({ jobId, targetJobId, circle = '' }: OpenWait): EngineError {
  return new EngineError(
    'DEADLOCK',
    `deadlock: a handler that waits with ctx.wait, and not by a call, holds nothing meanwhile; here ${circle}`,
    { metadata: { job_id: targetJobId, waiting_job_id: jobId, circle } },
  );
}

function* pagesOf<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += WAITS_PER_STATEMENT) yield all.slice(at, at + WAITS_PER_STATEMENT);
}
