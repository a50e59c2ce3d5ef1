/** The store's port: lanes. */
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import type { LaneGates } from '../../domain/explain/gate-reason.ts';

export interface Lane extends LaneKey {
  readonly laneId: number;
  /** Its jobs have limits: only a claim with these limits assigns them. */
  readonly limited: boolean;
}

export interface LaneHead {
  readonly laneId: number;
  readonly rank: number;
  /** As in `Lane`; undefined: not read. */
  readonly limited?: boolean | undefined;
}

export interface HeadPage {
  readonly heads: readonly LaneHead[];
  /** Start of the next page. Undefined: there is none. */
  readonly nextAfterLaneId: number | undefined;
}

export type GateReason = 'queuePaused' | 'breakerOpen';

/** A lane, and what gates it. */
export interface GatedLane extends LaneGates, Omit<LaneKey, 'suspect' | 'cleanup' | 'atLimit'> {
  readonly laneId: number;
  readonly cleanup: boolean;
  /** Claims check its limits. */
  readonly limited: boolean;
}

export class UnknownLane extends Error {
  readonly learn: () => Promise<void>;

  constructor(learn: () => Promise<void>) {
    super('a lane is not loaded');
    this.learn = learn;
  }
}

/** Lanes, by key and by id. */
export interface LaneStore {
  /** The lane with this key, and the circuit breaker that may gate it. */
  readLane(key: LaneKey): Promise<{ readonly laneId: number; readonly breaker: string | undefined } | undefined>;
  nameBreaker(laneId: number, breaker: string): Promise<void>;
  /** Makes the queue if it is missing, and locks it: a pause waits for the new lane, or the lane sees the pause. */
  ensureQueueOfLane(key: LaneKey): Promise<void>;
  /** A change of the definition's limits waits for the new lane, or the lane sees the change. */
  lockDefinitionOfLane(key: LaneKey): Promise<void>;
  /** Gated as its queue, its breaker and its limits require. Undefined: the lane exists already. */
  insertLane(key: LaneKey, breaker?: string): Promise<number | undefined>;
  readLanes(laneIds: readonly number[]): Promise<Lane[]>;
  /** In any order. */
  readGatedLanes(laneIds: readonly number[]): Promise<GatedLane[]>;
  /** Lowest rank of each lane with ready jobs and open gates, by lane id after `afterLaneId`, in pages of 5,000 lanes. */
  readHeads(afterLaneId: number): Promise<HeadPage>;
  /** Heads of the given lanes that have ready jobs, gated or not. */
  readHeadsOf(laneIds: readonly number[]): Promise<LaneHead[]>;
  /**
   * Within `together`, which has to keep others from making lanes that should be among these: locks the lanes, in the
   * order of their ids, and sets or clears their gate. Returns the lanes that the change has opened: they have no other
   * gate.
   */
  gateLanes(laneIds: readonly number[], reason: GateReason, isHeld: boolean): Promise<number[]>;
}

export interface LaneTransactions {
  /** The lane with this key. `breaker` is the circuit breaker that may gate it. */
  findLane(key: LaneKey, breaker?: string): Promise<number | undefined>;
  /** As `findLane`; makes the lane, and its queue, if missing. */
  ensureLane(key: LaneKey, breaker?: string): Promise<number>;
}
