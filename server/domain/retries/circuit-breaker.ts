/** Circuit breakers: when failures hold a dependency's jobs back, when one of them is tried, and what its outcome does. */
import type { Failure } from '../base/payload.ts';
import type { Change } from '../jobs/run.ts';

/** Codes as stored in SQL; the same numbers as `CircuitState` in the contract. */
export const circuitStates = { CLOSED: 1, OPEN: 2, HALF_OPEN: 3 } as const;
export type CircuitState = keyof typeof circuitStates;

/** What a definition says about the dependency of its jobs. */
export interface CircuitBreaker {
  /** Definitions of a namespace that say the same name share one breaker. */
  readonly name: string;
  readonly failureThreshold: number;
  readonly windowMs: number;
  readonly openDurationMs: number;
  /** Failure types that count. Empty: all failures of the handler and all time-outs. */
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

/** A breaker as it is now. Times are microseconds on the database's clock. */
export interface BreakerStatus {
  readonly state: CircuitState;
  /** Of the window that ended with the last failure, oldest first. */
  readonly tallies: readonly Tally[];
  /** Window and time from opening to the probe, as the definition has them whose failure was counted last. */
  readonly windowMs: number;
  readonly openDurationMs: number;
  /** When it was opened last. Null: never. */
  readonly openTimeUs: number | null;
  /** Of one that is OPEN: from when on a probe is made. */
  readonly probeTimeUs: number | null;
  /** Of one that is HALF_OPEN: the attempt that is tried. */
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

/** Tallies that a window is made of: a failure leaves the window at most a twentieth of it too early. */
const TALLIES = 20;

/** Whether a failure says something about the dependency. Types are named for just that, whatever caused them. */
export function countsAt({ types }: Pick<CircuitBreaker, 'types'>, failure: Failure): boolean {
  if (types.length > 0) return types.includes(failure.type);
  return failure.failureCause === 'APPLICATION' || failure.failureCause === 'TIMEOUT';
}

/** How the attempt failed that a change closes. Undefined: it closes none, or not by a failure of its own. */
export function failureOfAttempt(change: Change): Failure | undefined {
  if (change.event !== 'fail' && change.event !== 'timeOut') return undefined;
  // One that is being cancelled fails because of that; one that waits has no attempt.
  if (change.run.state !== 'ASSIGNED' && change.run.state !== 'RUNNING') return undefined;
  return reported(change.kind === 'end' ? change.failure : change.closed?.failure);
}

/** What the attempt itself failed with, where what ended the job is put around it. */
export function reported(failure: Failure | undefined): Failure | undefined {
  const isAround = failure?.failureCause === 'LOST_TOO_OFTEN' || failure?.type === 'TotalTimeout';
  return isAround ? (failure.cause ?? failure) : failure;
}

/** Counts failures at one that is CLOSED; enough of them within the window open it. Otherwise nothing changes. */
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

/** Transactions may see their times in another order than that in which they get here. */
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

/** Failures that count now: those that opened it, or those of the window that ends now. */
export function failuresNow({ state, tallies, windowMs }: BreakerStatus, nowUs: number): number {
  if (state !== 'CLOSED') return totalOf(tallies);
  return totalOf(tallies.filter(({ timeUs }) => timeUs > nowUs - windowMs * 1000));
}

/** An attempt is being tried. Only one that is OPEN, and has been for long enough, may be asked. */
export function withProbe(status: BreakerStatus, probe: AttemptName): BreakerStatus {
  return { ...status, state: 'HALF_OPEN', probeTimeUs: null, probe };
}

export function isProbeDue({ state, probeTimeUs }: BreakerStatus, nowUs: number): boolean {
  return state === 'OPEN' && probeTimeUs !== null && probeTimeUs <= nowUs;
}

/** What became of the attempt that is tried. GONE: it says nothing about the dependency, another one is to be tried. */
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

/** All jobs may go on; failures are counted from none again. */
export function closed(status: BreakerStatus): BreakerStatus {
  return { ...status, state: 'CLOSED', tallies: [], probeTimeUs: null, probe: null };
}
