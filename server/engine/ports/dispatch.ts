/** The store's port: claims, and the turns of jobs with fairness keys. */
import type { Payload } from '../../domain/base/payload.ts';
import type { FairLane } from '../../domain/dispatch/fair-rank.ts';
import type { FairJob, FairnessKey, LastOfKey, WaitingKey } from '../../domain/dispatch/fair-turns.ts';
import type { KeyUse } from '../../domain/dispatch/limit-use.ts';
import type { Candidate } from '../../domain/dispatch/limits.ts';
import type { Reservation } from '../../domain/dispatch/reservation.ts';
import type { Amounts, Taken } from '../../domain/dispatch/resources.ts';
import type { LimitsResult, LimitsToClaim } from './limits.ts';

/** Capacity for one attempt in a session. */
export interface Permit {
  readonly sessionId: string;
  readonly creditId: number;
  readonly prefetch: boolean;
}

/** A lane, and the rank to scan it from. */
export interface LaneToClaim {
  readonly laneId: number;
  readonly cursor: number;
}

export interface Claim {
  /** Filled in this order. At most 1,000. */
  readonly permits: readonly Permit[];
  /** Lanes whose jobs fit every permit. One lane where `limits` or `needs` are set. */
  readonly lanes: readonly LaneToClaim[];
  /** Max bytes of inputs and overhead together. */
  readonly maxBytes: number;
  /** The lanes are quarantine lanes: a session gets at most one suspect, and none while it holds one. */
  readonly suspects?: boolean | undefined;
  /** The lane has limits: the claim assigns no more than they allow. */
  readonly limits?: LimitsToClaim | undefined;
  /** Resources that each job of the lane takes: a session gets no more jobs than it has capacity for. */
  readonly needs?: Amounts | undefined;
  /** An open circuit breaker does not gate these lanes. */
  readonly probes?: boolean | undefined;
}

/** The gates of a lane that a claim may ignore because it checks them itself. */
export type PassedGates = Pick<Claim, 'probes' | 'needs'>;

/** A lane with limits, and sessions, as locked. */
export interface LockedLane {
  readonly openSessions: ReadonlySet<string>;
  /** No other gate than these and its limits. */
  readonly isOpen: boolean;
}

/** What a claim saw of the sessions of its permits. */
export interface CapacityResult {
  /** Sessions without capacity for one more job of the lane. */
  readonly exhausted: readonly string[];
  /** Sessions locked by another claim, or no longer open. */
  readonly missed: readonly string[];
  /** The lane has no ready job left that more capacity would help. */
  readonly dry: boolean;
}

export interface ClaimResult {
  /** In no particular order. Fewer than permits when the lanes ran dry, rows were locked, or `maxBytes` was reached. */
  readonly jobs: readonly ClaimedJob[];
  /** Lanes of the claim behind a closed gate: nothing is assigned from them until it opens. */
  readonly gatedLaneIds: readonly number[];
  /** Undefined: the lane has no limits, or no permit was left to check them. */
  readonly limits?: LimitsResult | undefined;
  /** Undefined: the jobs take no resources. */
  readonly capacity?: CapacityResult | undefined;
}

export interface ClaimedJob extends Permit {
  readonly jobId: string;
  readonly laneId: number;
  readonly rank: number;
  readonly attempt: number;
  readonly attemptCount: number;
  readonly runTimeoutMs: number;
  readonly input: Payload;
  readonly checkpoint: Payload | undefined;
  readonly traceparent: string;
  readonly tracestate: string;
  /** Start time of a delayed job. */
  readonly runTimeUs?: number | undefined;
}

/** A ready job, locked, with the use of its key's limit. */
export interface LimitedCandidate extends Candidate, KeyUse {}

export interface SessionResources {
  readonly sessionId: string;
  readonly resources: Amounts;
}

export interface Reservations {
  readonly nowUs: number;
  /** The reservation of the lane itself. */
  readonly own: Reservation | undefined;
  /** Sessions reserved for other lanes. */
  readonly reserved: ReadonlySet<string>;
}

/** Assigns ready jobs to sessions. No lock of these statements waits: each skips what others have locked. */
export interface DispatchStore {
  /**
   * Assigns ready jobs to permits. For lanes without limits, suspects or demands, or where the caller has checked and
   * locked what they require.
   */
  claimJobs(claim: Claim): Promise<ClaimResult>;
  /**
   * Locks open sessions, and the lane if it has no other gate, against their close and against a new gate. Sent after
   * `lockLimits`.
   */
  lockLimitedLane(laneId: number, sessionIds: readonly string[], passed: PassedGates): Promise<LockedLane>;
  /** Locks ready jobs of the lane, by rank. Held jobs of a key are counted up to `maxHeld`. */
  lockLimitedCandidates(lane: LaneToClaim, limit: number, maxHeld: number): Promise<readonly LimitedCandidate[]>;
  /** Assigns locked jobs to the permits, one each, in this order. */
  assignLocked(jobIds: readonly string[], permits: readonly Permit[]): Promise<ClaimedJob[]>;
  /** Moves locked jobs to the lane for jobs at their key's limit. Sent with the commit; not awaited. */
  deferAtLimit(jobIds: readonly string[], limits: LimitsToClaim): void;
  /**
   * Locks open sessions against other claims of suspects, and of jobs that take resources, but of no other jobs.
   * Returns the locked ones.
   */
  lockForSuspects(sessionIds: readonly string[]): Promise<readonly string[]>;
  /** Those of the sessions that hold no suspect. */
  findWithoutSuspect(sessionIds: readonly string[]): Promise<readonly string[]>;
  /** As `lockForSuspects`, with the resources that the sessions offer. */
  lockForDemands(sessionIds: readonly string[]): Promise<readonly SessionResources[]>;
  /** By session, what its jobs take. Sessions whose jobs take nothing are missing. */
  readTaken(sessionIds: readonly string[]): Promise<ReadonlyMap<string, readonly Taken[]>>;
  /** The reservation of the lane, and those of the sessions. */
  readReservations(laneId: number, sessionIds: readonly string[]): Promise<Reservations>;
  /** Records that the lane has found no capacity and waits. Returns whether a job of it is ready. */
  requestReservation(laneId: number, reservation: Reservation): Promise<boolean>;
  /** Drops the lane's reservation once it has been given a job: the next job waits anew. */
  dropReservation(laneId: number): Promise<void>;
  /** Keeps the reservations of lanes whose jobs are ready. */
  renewReservations(): Promise<void>;
}

export interface DispatchTransactions {
  /** Assigns ready jobs to permits. */
  claim(claim: Claim): Promise<ClaimResult>;
}

export interface FairLaneKey {
  readonly laneId: number;
  /** Where its ready jobs began at the previous lookup; undefined: not known. */
  readonly floorUs: number | undefined;
}

/** See `FairLane`. */
export interface FairLaneFacts extends FairLane {
  readonly laneId: number;
  readonly namespace: string;
  readonly queue: string;
  /** The queue's weights by key. Undefined: none. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  readonly nowUs: number;
}

export interface FirstOfLane {
  readonly laneId: number;
  readonly namespace: string;
  readonly queue: string;
  /** The ready job with the lowest rank, if there is one. */
  readonly first: { readonly rank: number; readonly priority: number } | undefined;
}

export interface FairnessStore {
  /** Until the transaction ends, in a fixed order: statements after it see the jobs of the previous holder. */
  lockFairnessKeys(keys: readonly FairnessKey[]): Promise<void>;
  readWaitingFairnessKeys(keys: readonly FairnessKey[]): Promise<WaitingKey[]>;
  readFairLanes(lanes: readonly FairLaneKey[]): Promise<FairLaneFacts[]>;
  readFirstOfFairLanes(laneIds: readonly number[]): Promise<FirstOfLane[]>;
  /** Sent with the commit; not awaited. The caller has locked the keys. */
  writeFairnessKeys(keys: readonly LastOfKey[]): void;
}

export interface FairnessTransactions {
  /** Within `together`: the ranks of the jobs, by job id. Their keys stay locked until its end. */
  rankFairly(jobs: readonly FairJob[]): Promise<ReadonlyMap<string, number>>;
}
