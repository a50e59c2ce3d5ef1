/** Applies decisions to open jobs, retries on collisions, and announces the changes. */

import { cleansUpAfter, definitionDefaults, type JobDefinition } from '../../../domain/definitions/definition.ts';
import type { Demands } from '../../../domain/dispatch/demands.ts';
import { rankOf } from '../../../domain/dispatch/rank.ts';
import { MEMORY } from '../../../domain/dispatch/resources.ts';
import { type Sampling, spanContext, traceparentOf } from '../../../domain/events/trace.ts';
import { isSuspect } from '../../../domain/jobs/losses.ts';
import type { Change, Cleanup, Continue, End, OpenRun } from '../../../domain/jobs/run.ts';
import { countsAt, failureOfAttempt } from '../../../domain/retries/circuit-breaker.ts';
import { grownDemands } from '../../../domain/retries/memory-growth.ts';
import { isRetry, minuteOf } from '../../../domain/retries/retry-budget.ts';
import { type Announcer, factsOfChanges } from '../../announcer.ts';
import { retryCollisions } from '../../base/collisions.ts';
import type { DbClock } from '../../base/db-clock.ts';
import { asEngineError } from '../../base/errors.ts';
import type { JobIds } from '../../base/job-ids.ts';
import { killPoint } from '../../base/kill-points.ts';
import { type Once, once } from '../../base/requests.ts';
import type { KnownLane } from '../../dispatch/known-lane.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import { knowingLanes } from '../../dispatch/unknown-lanes.ts';
import type { Decide, JobSelection, Selection } from '../../ports/jobs.ts';
import { UnknownLane } from '../../ports/lanes.ts';
import type { Random, Timers } from '../../ports/ports.ts';
import type { RequestKey, Store } from '../../ports/store.ts';
import type { LaneFailures } from '../../retries/breakers.ts';

/** Decides the change of a locked job; `definition` is the version that it pinned. Undefined: no change. */
export type DecideJob = (run: OpenRun, nowUs: number, definition: JobDefinition) => Change | undefined;

export interface ChangesParts {
  readonly store: Pick<Store, 'change' | 'together'>;
  readonly lanes: Lanes;
  readonly ids: JobIds;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  /** Undefined: the control plane adds no spans of its own to the jobs' traces. */
  readonly sampling?: Sampling | undefined;
  readonly announcer: Pick<Announcer, 'committed'>;
  /** Receives failures that count at circuit breakers, before the caller gets its changes. */
  readonly onFailures: (failures: LaneFailures) => Promise<void>;
}

/** The functions of a transaction of changes. */
export interface ChangesWithin {
  readonly store: Store;
  readonly apply: (selection: Selection, decide: DecideJob) => Promise<Change[]>;
  /** For a lane that is not loaded: rolls back, loads it, and starts the transaction again. */
  readonly laneOf: (laneId: number) => KnownLane;
}

export interface AppliedOnce {
  /** The call was carried out before. */
  readonly repeated: boolean;
  readonly changed: boolean;
}

export class Changes {
  readonly #parts: ChangesParts;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  /** One transaction: locks and loads the selection, asks `decide` for each, writes. Rejects with an EngineError. */
  apply(selection: Selection, decide: DecideJob): Promise<Change[]> {
    return this.#apply(decide, (decideAll) => this.#parts.store.change(selection, decideAll));
  }

  /** As `apply`, within a larger transaction: `change` is that transaction. It may be run again after a collision. */
  applyWith(change: (decideAll: Decide) => Promise<Change[]>, decide: DecideJob): Promise<Change[]> {
    return this.#apply(decide, change);
  }

  /**
   * As `apply`, but for a call that may be a repeat. If `decide` throws, or the selection has no open job, nothing
   * changes and the request id stays unused. `decide` may run again after a rollback and then find no open job, so its
   * results prove nothing: use `changed`. Throws REQUEST_ID_REUSED.
   */
  async applyOnce(selection: JobSelection, request: RequestKey | undefined, decide: DecideJob): Promise<AppliedOnce> {
    let repeated = false;
    const changes = await this.#apply(decide, async (decideAll) => {
      const done = await once(this.#parts.store, selection.namespace, request, (store) =>
        changeOpen(store, selection, decideAll),
      ).catch(unlessNothingOpen);
      repeated = done.repeated;
      return done.repeated ? [] : done.value;
    });
    return { repeated, changed: changes.length > 0 };
  }

  /**
   * As `apply`, for several selections and other work in one transaction: resolves with the changes returned by `work`.
   */
  applyTogether(work: (within: ChangesWithin) => Promise<Change[]>): Promise<Change[]> {
    const { store } = this.#parts;
    return this.#commit(() =>
      store.together((inner) =>
        work({
          store: inner,
          laneOf: (laneId) => this.#laneOf(laneId),
          apply: (selection, decide) => inner.change(selection, this.#decideAll(decide)),
        }),
      ),
    );
  }

  #apply(decide: DecideJob, change: (decideAll: Decide) => Promise<Change[]>): Promise<Change[]> {
    return this.#commit(() => change(this.#decideAll(decide)));
  }

  #decideAll(decide: DecideJob): Decide {
    return (run, readUs) => {
      const lane = this.#laneOf(run.laneId);
      const nowUs = this.#parts.clock.trusted(readUs);
      const decided = decide(run, nowUs, lane.definitionBody);
      return decided && this.#placed(decided, lane, nowUs);
    };
  }

  async #commit(transaction: () => Promise<Change[]>): Promise<Change[]> {
    try {
      const changes = await knowingLanes(() => retryCollisions(this.#parts, transaction));
      if (changes.length > 0) killPoint('change.after_commit_before_reply');
      this.#parts.announcer.committed(factsOfChanges(changes));
      const failures = this.#failuresOf(changes);
      if (failures.size > 0) await this.#parts.onFailures(failures);
      return changes;
    } catch (error) {
      throw asEngineError(error);
    }
  }

  #laneOf(laneId: number): KnownLane {
    const lane = this.#parts.lanes.get(laneId);
    if (!lane) throw new UnknownLane(() => this.#parts.lanes.load([laneId]));
    return lane;
  }

  /**
   * Moves a job to or from its quarantine lane when its suspect status changes, and handles other changes of its lane.
   */
  #placed(change: Change, lane: KnownLane, nowUs: number): Change {
    if (change.kind === 'end') return this.#cleanedUp(change, lane);
    if (change.event === 'promote' && isRetry(change.run)) return budgeted(change, lane, nowUs);
    if (lane.atLimit) return this.#requeue(change, lane);
    const grown = grownDemands(lane.needs, change);
    if (grown) return this.#withMore(change, lane, grown);
    if (isSuspect(change) === lane.suspect) return change;
    const laneId = this.#parts.lanes.quarantineLaneOf(lane);
    if (laneId === undefined) throw new UnknownLane(() => this.#parts.lanes.findQuarantineLane(lane));
    return { ...change, laneId };
  }

  /** The attempt ran out of memory: the next one gets more. */
  #withMore(change: Continue, lane: KnownLane, grown: Demands): Continue {
    const laneId = this.#parts.lanes.grownOf(lane);
    if (laneId === undefined) throw new UnknownLane(() => this.#parts.lanes.findGrown(lane, grown));
    const memory = `the next attempt takes ${grown.resources?.[MEMORY]} bytes of memory`;
    return { ...change, laneId, reason: change.reason ? `${change.reason}; ${memory}` : memory };
  }

  /** A job deferred at a limit returns to the lane that it came from: the next claim checks the limit. */
  #requeue(change: Continue, lane: KnownLane): Continue {
    const laneId = this.#parts.lanes.openOf(lane);
    if (laneId === undefined) throw new UnknownLane(() => this.#parts.lanes.findOpen(lane));
    return { ...change, laneId };
  }

  /** A clean-up job follows a job that may have started, if its definition wants it after this end. */
  #cleanedUp(change: End, lane: KnownLane): End {
    const { cleanup } = lane.definitionBody;
    if (!cleanup || !cleansUpAfter(cleanup, change.state) || lane.cleanup || change.run.attempt === 0) return change;
    const laneId = this.#parts.lanes.cleanupOf(lane);
    if (laneId === undefined) throw new UnknownLane(() => this.#parts.lanes.findCleanup(lane));
    const { ids, clock } = this.#parts;
    const rank = rankOf(clock.nowUs(), change.run.priority);
    const retryPolicy = definitionDefaults.cleanupRetryPolicy;
    const placed = { jobId: ids.next(), laneId, rank, runTimeoutMs: cleanup.timeoutMs, retryPolicy };
    return { ...change, cleanup: { ...placed, trace: this.#traceUnder(change.run.jobId) } };
  }

  /** For a job that belongs to this one: under its span, in its trace. Undefined if the control plane adds no spans. */
  #traceUnder(jobId: string): Cleanup['trace'] {
    const { sampling } = this.#parts;
    if (!sampling) return undefined;
    const context = spanContext({ jobId, traceparent: '' }, 0, 'job', sampling);
    return { spanId: context.spanId, traceparent: traceparentOf(context) };
  }

  #failuresOf(changes: readonly Change[]): LaneFailures {
    const failures = new Map<KnownLane, number>();
    for (const change of changes) {
      const failure = failureOfAttempt(change);
      const lane = failure && this.#parts.lanes.get(change.run.laneId);
      const breaker = lane && !lane.cleanup && lane.definitionBody.circuitBreaker;
      if (breaker && countsAt(breaker, failure)) failures.set(lane, (failures.get(lane) ?? 0) + 1);
    }
    return failures;
  }
}

/** Charges a retry that becomes ready to the retry budget of its definition, if it has one. */
function budgeted(change: Continue, lane: KnownLane, nowUs: number): Continue {
  const { namespace, definition, definitionBody, cleanup } = lane;
  const { retryBudget } = definitionBody;
  if (!retryBudget || cleanup) return change;
  return { ...change, retryBudget: { ...retryBudget, namespace, definition, minute: minuteOf(nowUs) } };
}

/** Thrown to roll the transaction back: the selection has no open job. */
class NothingOpen extends Error {}

async function changeOpen(store: Pick<Store, 'change'>, selection: JobSelection, decide: Decide): Promise<Change[]> {
  let isOpen = false;
  const changes = await store.change(selection, (run, nowUs) => {
    isOpen = true;
    return decide(run, nowUs);
  });
  if (!isOpen) throw new NothingOpen('none of the jobs is open');
  return changes;
}

function unlessNothingOpen(error: unknown): Once<Change[]> {
  if (error instanceof NothingOpen) return { repeated: false, value: [] };
  throw error;
}
