/** The store's port: lanes. */
import type { LaneKey } from '../../domain/dispatch/placement.ts';

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

export class UnknownLane extends Error {
  readonly learn: () => Promise<void>;

  constructor(learn: () => Promise<void>) {
    super('a lane is not loaded');
    this.learn = learn;
  }
}
