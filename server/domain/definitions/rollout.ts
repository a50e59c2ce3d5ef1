/** The gradual roll-out of a version: which version a new job takes, and whether the new one advances or is rolled back. */
import { type EndedCounts, failsTooOften, failureRate, rateText, withRetries } from '../base/failure-rates.ts';

/** Codes as stored in SQL; the same numbers as `RolloutState` in the contract. */
export const rolloutStates = { OPEN: 1, PROMOTED: 2, ROLLED_BACK: 3, SUPERSEDED: 4 } as const;
export type RolloutState = keyof typeof rolloutStates;

export interface RolloutStep {
  readonly percent: number;
  /** Undefined: until somebody changes or ends the roll-out. */
  readonly holdMs?: number | undefined;
}

export interface RolloutSettings {
  /** At least one. */
  readonly steps: readonly RolloutStep[];
  /** Jobs with all of these take the new version. Empty: none do. */
  readonly labels: Readonly<Record<string, string>>;
  readonly minJobs: number;
  readonly maxFailureIncrease: number;
}

export interface NewCounts extends EndedCounts {
  /** Open jobs of which an attempt has failed: they may still succeed. */
  readonly retrying: number;
}

/** What decides the version of a new job. */
export interface VersionChoice {
  readonly version: number;
  readonly baseVersion: number;
  readonly state: RolloutState;
  /** Of the present step. */
  readonly percent: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly served: boolean;
}

/** The version that a job takes whose submission names none. `random` gives a number from 0 up to 1. */
export function chosenVersion(
  { version, baseVersion, state, percent, labels, served }: VersionChoice,
  jobLabels: Readonly<Record<string, string>>,
  random: () => number,
): number {
  if (state === 'ROLLED_BACK') return baseVersion;
  if (state !== 'OPEN') return version;
  if (!served) return baseVersion;
  const wanted = Object.entries(labels);
  if (wanted.length > 0 && wanted.every(([name, value]) => jobLabels[name] === value)) return version;
  return percent >= 100 || (percent > 0 && random() < percent / 100) ? version : baseVersion;
}

export interface RolloutStatus {
  readonly settings: RolloutSettings;
  readonly step: number;
  readonly stepTimeUs: number;
  readonly served: boolean;
}

export interface RolloutFacts {
  readonly nowUs: number;
  /** Whether a worker serves the version, or none is needed. */
  readonly served: boolean;
  readonly baseServed: boolean;
  readonly counts: NewCounts;
  readonly baseCounts: EndedCounts;
}

export interface RolloutDecision {
  readonly state: RolloutState;
  readonly reason: string;
  readonly step: number;
  readonly stepTimeUs: number;
  readonly served: boolean;
}

/**
 * A step lasts at least as long as it says, until enough jobs have ended, and until those that are tried again can't make the
 * version worse than it may be. It starts anew while nobody serves the version.
 */
export function decideRollout(status: RolloutStatus, facts: RolloutFacts): RolloutDecision {
  const { settings, step, stepTimeUs } = status;
  const { nowUs, baseServed, counts, baseCounts } = facts;
  // If nobody serves either, jobs wait for a worker in any case: they take the version that they would have taken.
  const served = facts.served || (status.served && !baseServed);
  const same = { state: 'OPEN', reason: '', step, stepTimeUs, served } as const;
  const isJudged = counts.ended >= settings.minJobs;
  const isTooMuch = (own: EndedCounts) => failsTooOften(own, baseCounts, settings.maxFailureIncrease);
  if (isJudged && isTooMuch(counts))
    return { ...same, state: 'ROLLED_BACK', reason: whyBack(counts, baseCounts, settings) };
  if (!facts.served) return { ...same, stepTimeUs: nowUs };
  const { holdMs } = settings.steps[step] ?? {};
  if (!isJudged || holdMs === undefined || nowUs - stepTimeUs < holdMs * 1_000) return same;
  if (isTooMuch(withRetries(counts, counts.retrying))) return same;
  if (step + 1 < settings.steps.length) return { ...same, step: step + 1, stepTimeUs: nowUs };
  return { ...same, state: 'PROMOTED', reason: 'its last step is over' };
}

function whyBack(counts: EndedCounts, base: EndedCounts, { maxFailureIncrease }: RolloutSettings): string {
  const own = `${rateText(failureRate(counts))} of its jobs failed (${counts.failed} of ${counts.ended})`;
  const other = `${rateText(failureRate(base))} of those of the version before (${base.failed} of ${base.ended})`;
  return `${own}, and ${other}: more than ${rateText(maxFailureIncrease)} apart`;
}
