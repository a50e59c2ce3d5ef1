/** Circuit breakers: when failures hold a dependency's jobs back, when a probe is made, and what its outcome does. */
import type { Failure } from '../base/payload.ts';
import type { Change } from '../jobs/run.ts';

/** Codes as stored in SQL; the same numbers as `CircuitState` in the contract. */
export const circuitStates = { CLOSED: 1, OPEN: 2, HALF_OPEN: 3 } as const;
export type CircuitState = keyof typeof circuitStates;

/** A definition's settings for the dependency of its jobs. */
export interface CircuitBreaker {
  /** Definitions of a namespace with the same name here share one breaker. */
  readonly name: string;
  readonly failureThreshold: number;
  readonly windowMs: number;
  readonly openDurationMs: number;
  /** Failure types that count. Empty: all failures of the handler and all timeouts. */
  readonly types: readonly string[];
}

/** Failures that were counted at about the same time. */
export interface Tally {
  readonly timeUs: number;
  readonly failures: number;
}

export interface AttemptName {
  readonly jobId: string;
  readonly attempt: number;
}

/** The current state of a breaker. Times are microseconds on the database's clock. */
export interface BreakerStatus {
  readonly state: CircuitState;
  /** Tallies of the window that ended with the last failure, oldest first. */
  readonly tallies: readonly Tally[];
  /** The window, and the time from opening to the probe, from the definition whose failure was counted last. */
  readonly windowMs: number;
  readonly openDurationMs: number;
  /** When it was last opened. Null: never. */
  readonly openTimeUs: number | null;
  /** OPEN: from when a probe may be made. */
  readonly probeTimeUs: number | null;
  /** HALF_OPEN: the attempt that is the probe. */
  readonly probe: AttemptName | null;
}

export const closedBreaker: BreakerStatus = {
  state: 'CLOSED',
  tallies: [],
  windowMs: 0,
  openDurationMs: 0,
  openTimeUs: null,
  probeTimeUs: null,
  probe: null,
};

/** Number of tallies per window: a failure leaves the window at most a twentieth of it too early. */
const TALLIES = 20;

/** Whether a failure says something about the dependency. Listed types count whatever their cause. */
export function countsAt({ types }: Pick<CircuitBreaker, 'types'>, failure: Failure): boolean {
  if (types.length > 0) return types.includes(failure.type);
  return failure.failureCause === 'APPLICATION' || failure.failureCause === 'TIMEOUT';
}

/**
 * The failure of the attempt that a change closes. Undefined: it closes none, or not because of a failure of the
 * attempt.
 */
export function failureOfAttempt(change: Change): Failure | undefined {
  if (change.event !== 'fail' && change.event !== 'timeOut') return undefined;
  // A cancelled attempt fails because of the cancel; a waiting job has no attempt.
  if (change.run.state !== 'ASSIGNED' && change.run.state !== 'RUNNING') return undefined;
  return reported(change.kind === 'end' ? change.failure : change.closed?.failure);
}

/** The attempt's own failure, if the failure that ended the job wraps it. */
export function reported(failure: Failure | undefined): Failure | undefined {
  const isAround = failure?.failureCause === 'LOST_TOO_OFTEN' || failure?.type === 'TotalTimeout';
  return isAround ? (failure.cause ?? failure) : failure;
}

/** Counts failures of a CLOSED breaker; enough of them within the window open it. In other states nothing changes. */
export function countFailures(
  status: BreakerStatus,
  failures: number,
  breaker: CircuitBreaker,
  nowUs: number,
): BreakerStatus {
  if (status.state !== 'CLOSED') return status;
  const { windowMs, openDurationMs } = breaker;
  const tallies = tallied(status.tallies, failures, windowMs * 1000, nowUs);
  const counted = { ...status, tallies, windowMs, openDurationMs };
  return totalOf(tallies) < breaker.failureThreshold ? counted : opened(counted, nowUs);
}

/** The times of transactions may not be in the order in which they arrive here. */
function tallied(before: readonly Tally[], failures: number, windowUs: number, nowUs: number): Tally[] {
  const timeUs = Math.max(nowUs, before.at(-1)?.timeUs ?? nowUs);
  const kept = before.filter((tally) => tally.timeUs > timeUs - windowUs);
  const last = kept.at(-1);
  if (!last || last.timeUs <= timeUs - windowUs / TALLIES) return [...kept, { timeUs, failures }];
  return [...kept.slice(0, -1), { timeUs: last.timeUs, failures: last.failures + failures }];
}

function totalOf(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, tally) => sum + tally.failures, 0);
}

function opened(status: BreakerStatus, nowUs: number): BreakerStatus {
  const probeTimeUs = nowUs + status.openDurationMs * 1000;
  return { ...status, state: 'OPEN', openTimeUs: nowUs, probeTimeUs, probe: null };
}

/** Failures that count now: those that opened the breaker, or those of the window that ends now. */
export function failuresNow({ state, tallies, windowMs }: BreakerStatus, nowUs: number): number {
  if (state !== 'CLOSED') return totalOf(tallies);
  return totalOf(tallies.filter(({ timeUs }) => timeUs > nowUs - windowMs * 1000));
}

/** Starts a probe. Allowed only for an OPEN breaker whose probe time has come. */
export function withProbe(status: BreakerStatus, probe: AttemptName): BreakerStatus {
  return { ...status, state: 'HALF_OPEN', probeTimeUs: null, probe };
}

export function isProbeDue({ state, probeTimeUs }: BreakerStatus, nowUs: number): boolean {
  return state === 'OPEN' && probeTimeUs !== null && probeTimeUs <= nowUs;
}

/** Outcome of the probe. GONE: it says nothing about the dependency; another probe is needed. */
export type ProbeFate = 'SUCCEEDED' | 'FAILED' | 'GONE';

export function afterProbe(status: BreakerStatus, fate: ProbeFate, nowUs: number): BreakerStatus {
  switch (fate) {
    case 'SUCCEEDED':
      return closed(status);
    case 'FAILED':
      return opened(status, nowUs);
    case 'GONE':
      return { ...status, state: 'OPEN', probeTimeUs: nowUs, probe: null };
  }
}

/** All jobs continue; counting starts again at zero. */
export function closed(status: BreakerStatus): BreakerStatus {
  return { ...status, state: 'CLOSED', tallies: [], probeTimeUs: null, probe: null };
}
