/** The store's port: claims. */
import type { Payload } from '../../domain/base/payload.ts';
import type { Amounts } from '../../domain/dispatch/resources.ts';
import type { LimitsResult, LimitsToClaim } from './limits.ts';

/** Room for one attempt in a session. */
export interface Permit {
  readonly sessionId: string;
  readonly creditId: number;
  readonly prefetch: boolean;
}

export interface Claim {
  /** In the order in which they are to be filled. At most 1,000. */
  readonly permits: readonly Permit[];
  /** Lanes whose jobs fit every permit, each with the rank to scan from. One lane where `limits` or `needs` are set. */
  readonly lanes: readonly { readonly laneId: number; readonly cursor: number }[];
  /** Max inputs and overhead together. */
  readonly maxBytes: number;
  /** The lanes are of suspects: a session gets at most one, and none while it holds one. */
  readonly suspects?: boolean | undefined;
  /** The lane has limits: it gives no more than they allow. */
  readonly limits?: LimitsToClaim | undefined;
  /** What each job of the lane takes of its session's resources: a session gets no more than it has left. */
  readonly needs?: Amounts | undefined;
  /** An open circuit breaker does not gate the lanes. */
  readonly probes?: boolean | undefined;
}

/** What a claim has seen of the sessions whose permits it was given. */
export interface CapacityResult {
  /** They have no capacity for one more job of the lane. */
  readonly exhausted: readonly string[];
  /** Another claim holds them, or they are no longer open. */
  readonly missed: readonly string[];
  /** The lane has no ready job left that capacity would help. */
  readonly dry: boolean;
}

export interface ClaimResult {
  /** In no particular order. Fewer than permits when the lanes ran dry, rows were locked, or `maxBytes` was reached. */
  readonly jobs: readonly ClaimedJob[];
  /** Lanes of the claim that are gated: nothing is assigned from them for as long as they are. */
  readonly gatedLaneIds: readonly number[];
  /** Undefined: the lane has no limits, or no permit was left to look for. */
  readonly limits?: LimitsResult | undefined;
  /** Undefined: the jobs take no resources. */
  readonly capacity?: CapacityResult | undefined;
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
