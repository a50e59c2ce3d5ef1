/**
 * Ranks for jobs with fairness keys: assigned key by key, under a lock, in the transaction that makes the jobs ready.
 */
import { virtualTime } from '../../domain/dispatch/fair-rank.ts';
import { type FairJob, type FairnessKey, takeTurns } from '../../domain/dispatch/fair-turns.ts';
import { startOf } from '../../domain/dispatch/rank.ts';
import type { FairLaneFacts } from '../ports/dispatch.ts';
import type { Store } from '../ports/store.ts';

/** Cached facts of a lane. Its queue never changes. */
interface KnownLane {
  readonly namespace: string;
  readonly queue: string;
  /** Undefined: no job of the lane has waited yet. */
  readonly floorUs: number | undefined;
}

const MAX_LANES_KNOWN = 10_000;

/** One per replica: it caches where the ready jobs of lanes begin. */
export class FairRanks {
  readonly #known = new Map<number, KnownLane>();
  readonly #maxLanes: number;

  /** `maxLanes`: max lanes in the cache. */
  constructor(maxLanes = MAX_LANES_KNOWN) {
    this.#maxLanes = maxLanes;
  }

  /** Ranks by job id. Within a transaction: the keys stay locked until its end. */
  async rank(tx: Store, jobs: readonly FairJob[]): Promise<ReadonlyMap<string, number>> {
    if (jobs.length === 0) return new Map();
    const laneIds = [...new Set(jobs.map((job) => job.laneId))];
    const unknown = laneIds.filter((laneId) => !this.#known.has(laneId));
    const cached = laneIds.map((laneId) => [laneId, this.#known.get(laneId) as KnownLane] as const);
    // Awaited only where needed: statements sent within one turn go together.
    const learnt = unknown.length > 0 ? await this.#learn(tx, unknown) : [];
    const known = new Map([...cached, ...learnt]);
    const keys = keysOf(jobs, known);
    const [, waiting, lanes] = await Promise.all([
      tx.lockFairnessKeys(keys),
      tx.readWaitingFairnessKeys(keys),
      tx.readFairLanes(laneIds.map((laneId) => ({ laneId, floorUs: known.get(laneId)?.floorUs }))),
    ]);
    const timed = lanes.map((lane) => ({ ...lane, virtualTimeUs: this.#virtualTime(lane) }));
    const { ranks, last } = takeTurns(jobs, new Map(timed.map((lane) => [lane.laneId, lane])), waiting);
    tx.writeFairnessKeys(last);
    return ranks;
  }

  /** Loads lanes that this replica has not read: their waiting jobs came by another replica, or before it started. */
  async #learn(tx: Store, laneIds: readonly number[]): Promise<ReadonlyMap<number, KnownLane>> {
    const lanes = new Map<number, KnownLane>();
    for (const { laneId, namespace, queue, first } of await tx.readFirstOfFairLanes(laneIds))
      lanes.set(laneId, { namespace, queue, floorUs: first && startOf(first.rank, first.priority) });
    // Jobs that are ranked at the same time have their own copies of the lanes that they need.
    if (this.#known.size + lanes.size > this.#maxLanes) this.#known.clear();
    for (const [laneId, lane] of lanes) this.#known.set(laneId, lane);
    return lanes;
  }

  #virtualTime(lane: FairLaneFacts): number {
    const { laneId, namespace, queue } = lane;
    const floorUs = virtualTime(lane, lane.nowUs);
    this.#known.set(laneId, { namespace, queue, floorUs });
    return floorUs;
  }
}

/** Each key once per lane. */
function keysOf(jobs: readonly FairJob[], known: ReadonlyMap<number, KnownLane>): FairnessKey[] {
  const keys = [...new Map(jobs.map((job) => [`${job.laneId}/${job.fairnessKey}`, job])).values()];
  return keys.map(({ laneId, fairnessKey }) => {
    const { namespace, queue } = known.get(laneId) as KnownLane;
    return { namespace, queue, fairnessKey };
  });
}
