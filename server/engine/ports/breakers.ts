/** Circuit breakers and retry budgets, as passed between engine and store. */

import type { Failure } from '../../domain/base/payload.ts';
import type { BreakerStatus } from '../../domain/retries/circuit-breaker.ts';
import type { MinuteCounts } from '../../domain/retries/retry-budget.ts';
import type { Claim, ClaimedJob } from './dispatch.ts';
import type { LaneHead } from './lanes.ts';
import type { NewJob } from './submissions.ts';

export interface BreakerKey {
  readonly namespace: string;
  readonly name: string;
}

export interface BreakerRow extends BreakerKey, BreakerStatus {}

/** Returns the new status; the same status changes nothing. */
export type DecideBreaker = (breaker: BreakerRow, nowUs: number) => BreakerStatus;

export interface BreakerChange {
  /** The breakers after the change; missing ones are left out. */
  readonly breakers: readonly BreakerRow[];
  /** Heads of lanes that were reopened. */
  readonly heads: readonly LaneHead[];
  readonly nowUs: number;
}

export interface BreakerPage {
  /** By name. */
  readonly breakers: readonly BreakerRow[];
  readonly nowUs: number;
}

/** The end of a probe's attempt. `none`: the attempt is open, or there is no probe. */
export type ProbeEnd =
  | { readonly kind: 'none' }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Lost, released or cancelled. */
  | { readonly kind: 'gone' };

/** A breaker that is not closed. */
export interface OpenBreaker extends BreakerRow {
  readonly nowUs: number;
  /** Lane of the probe's job, if the job exists. */
  readonly probeLaneId: number | undefined;
  readonly probeEnd: ProbeEnd;
}

/** A claim for one probe: one permit of each session that may run it. */
export type ProbeClaim = Pick<Claim, 'permits' | 'lanes' | 'suspects' | 'limits' | 'needs'>;

export interface LockedBreaker {
  readonly breaker: BreakerRow;
  readonly nowUs: number;
}

/** Circuit breakers, their lanes and their probes. A breaker is locked before lanes, and before all that a claim locks. */
export interface BreakerStore {
  /** Inserts the missing ones, closed. */
  makeBreakers(keys: readonly BreakerKey[]): Promise<void>;
  /** Without missing ones. */
  lockBreakers(keys: readonly BreakerKey[]): Promise<readonly LockedBreaker[]>;
  /** Locks the breaker if it is open and not locked. Never waits. */
  lockBreakerToProbe(key: BreakerKey): Promise<LockedBreaker | undefined>;
  /** Writes locked breakers. */
  writeBreakers(breakers: readonly BreakerRow[]): Promise<void>;
  /** Lanes that the breaker gates while it is not closed. */
  readBreakerLanes(key: BreakerKey): Promise<readonly number[]>;
  /** Breakers of lanes whose gate differs from the breaker's state, also missing ones; at most 100. */
  readMisgated(): Promise<readonly BreakerKey[]>;
  /** By name. */
  listBreakers(namespace: string, afterName: string, limit: number): Promise<BreakerPage>;
  /** Breakers that are not closed, by namespace and name. */
  readOpenBreakers(after: BreakerKey, limit: number): Promise<OpenBreaker[]>;
  /** Lanes gated by this breaker only, with their lowest ranks; by these and by id. */
  readLanesToProbe(key: BreakerKey, after: LaneHead, limit: number): Promise<LaneHead[]>;
}

export interface BreakerTransactions {
  /**
   * Locks breakers, asks `decide` for each, writes, and gates or reopens their lanes. `make`: creates missing ones
   * first.
   */
  changeBreakers(keys: readonly BreakerKey[], decide: DecideBreaker, make?: boolean): Promise<BreakerChange>;
  /** Claims one job as the breaker's probe, if the breaker is open and a probe is due. */
  probeBreaker(key: BreakerKey, claim: ProbeClaim, latestUs: number): Promise<ClaimedJob | undefined>;
  /** Corrects gates that differ from their breakers' states. Returns the heads of reopened lanes. */
  alignGatedLanes(): Promise<LaneHead[]>;
}

/** The definition whose jobs share a retry budget. */
export interface BudgetKey {
  readonly namespace: string;
  readonly definition: string;
}

export interface BudgetMinute extends BudgetKey {
  /** Since 1970. */
  readonly minute: number;
}

/** Counts of retry budgets, within `together`. */
export interface RetryBudgetStore {
  /** After the jobs are stored: counts those of definitions with a retry budget. Locks minutes in a fixed order. */
  countFirstAttempts(jobs: readonly NewJob[]): Promise<void>;
  /** Inserts the minute if it is missing. */
  makeBudgetMinute(key: BudgetMinute): Promise<void>;
  /** Until the transaction ends: the holder spends the budget. */
  lockBudgetMinute(key: BudgetMinute): Promise<void>;
  /** From the minute before to the last one that retries wait for, without those that have no counts. */
  readBudgetMinutes(key: BudgetMinute): Promise<MinuteCounts[]>;
  /** Adds to the counts of the minutes. The caller has locked the budget. */
  spendBudget(key: BudgetKey, spent: readonly MinuteCounts[]): Promise<void>;
}
