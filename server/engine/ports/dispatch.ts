/** The store's port: lanes and claims. */
import type { Payload } from '../../domain/base/payload.ts';
import type { LaneKey } from '../../domain/dispatch/placement.ts';

/** Room for one attempt in a session. */
export interface Permit {
  readonly sessionId: string;
  readonly creditId: number;
  readonly prefetch: boolean;
}

export interface Claim {
  /** In the order in which they are to be filled. At most 1,000. */
  readonly permits: readonly Permit[];
  /** Lanes whose jobs fit every place, each with the rank to scan from. */
  readonly lanes: readonly { readonly laneId: number; readonly cursor: number }[];
  /** Bound of inputs and overhead together. */
  readonly maxBytes: number;
  /** Told which of the lanes are held back, where others gave jobs: as long as they are, nothing of them is assigned. */
  readonly onGated?: ((laneIds: readonly number[]) => void) | undefined;
  /** Takes jobs that nothing but an open circuit breaker holds back, too. */
  readonly probes?: boolean | undefined;
  /** The sessions of the places have room for what the jobs take of their resources. */
  readonly demandsMet?: boolean | undefined;
}

export interface ClaimedJob extends Permit {
  readonly jobId: string;
  readonly laneId: number;
  readonly rank: number;
  readonly attempt: number;
  readonly attemptsCounted: number;
  readonly runTimeoutMs: number;
  readonly input: Payload;
  readonly checkpoint: Payload | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The time that the job was delayed to. */
  readonly runTimeUs?: number | undefined;
}

export interface Lane extends LaneKey {
  readonly laneId: number;
  /** Its jobs have limits: only `claimLimited` assigns them. */
  readonly limited: boolean;
}

export interface LaneHead {
  readonly laneId: number;
  readonly rank: number;
  /** As `Lane` says; undefined: not looked at. */
  readonly limited?: boolean | undefined;
}

export class UnknownLane extends Error {
  readonly learn: () => Promise<void>;

  constructor(learn: () => Promise<void>) {
    super('a lane is not loaded');
    this.learn = learn;
  }
}
