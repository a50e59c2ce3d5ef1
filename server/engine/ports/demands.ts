/** What the engine and the store tell each other of jobs that take amounts of their session's resources. */
import type { Amounts } from '../../domain/dispatch/resources.ts';
import type { Claim, ClaimedJob } from './dispatch.ts';
import type { LimitedClaimLane } from './limits.ts';

/** What a claim has seen of the sessions whose places it was given. */
export interface CapacityResult {
  /** They have no room for one more job of the lane. */
  readonly exhausted: readonly string[];
  /** Somebody else was at them, or they are not open any more. */
  readonly missed: readonly string[];
  /** There is no ready job left that room would be of use for. */
  readonly dry: boolean;
}

export interface DemandingClaimLane {
  readonly laneId: number;
  readonly cursor: number;
  /** What each of its jobs takes. */
  readonly needs: Amounts;
  /** Set where the lane has limits, too. */
  readonly limited?: LimitedClaimLane | undefined;
  readonly onCapacity?: ((seen: CapacityResult) => void) | undefined;
}

/** A claim of jobs of one lane, as many as the sessions of the places have room for. */
export type DemandingClaim = Pick<Claim, 'permits' | 'maxBytes' | 'probes'> & {
  readonly demanding: DemandingClaimLane;
};

export interface DemandStore {
  /** As other claims, of one lane whose jobs take amounts of resources: no more than the sessions have left. */
  claimDemanding(claim: DemandingClaim, suspect: boolean): Promise<ClaimedJob[]>;
  /** Lanes that have asked for room wait on, where their jobs are ready. */
  renewReservations(): Promise<void>;
}
