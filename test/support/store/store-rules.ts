/** Calls with keys of submission rules, for store tests. */
import { createHash } from 'node:crypto';
import type { ThrottleKey, UniqueKey } from '../../../server/domain/jobs/rule-keys.ts';
import { blockingStates } from '../../../server/domain/jobs/submission-rule.ts';
import type { DebounceKey, NewJob, RuleKey, SubmitCall } from '../../../server/engine/ports/submissions.ts';
import { makeCall, makeJob } from './store-fixtures.ts';

/** Creates the rule of the job at an index. */
export type MakeRule = (index: number) => RuleKey;

const hashOf = (name: string) => createHash('sha256').update(name).digest();

export function unique(name: string, changes: Partial<UniqueKey> = {}): MakeRule {
  const rule = { kind: 'UNIQUENESS', states: blockingStates([]), policy: 'USE_EXISTING', retryOf: undefined } as const;
  return (index) => ({ index, hash: hashOf(name), ...rule, ...changes });
}

export function throttled(name: string, changes: Partial<ThrottleKey> = {}): MakeRule {
  const rule = { kind: 'THROTTLE', periodMs: 3_600_000, policy: 'USE_EXISTING' } as const;
  return (index) => ({ index, hash: hashOf(name), ...rule, ...changes });
}

export function debounced(name: string, changes: Partial<DebounceKey> = {}): MakeRule {
  const startingAt = (startUs: number) => ({ runTimeUs: startUs, rank: startUs });
  const rule = { kind: 'DEBOUNCE', maxWaitMs: 36_000_000, startingAt } as const;
  return (index) => ({ index, hash: hashOf(name), ...rule, ...changes });
}

/** A call with one job per rule. `changes` apply to the jobs. */
export function ruledCall(
  laneId: number,
  rules: readonly MakeRule[],
  changes: Partial<NewJob> = {},
  call: Partial<SubmitCall> = {},
): SubmitCall {
  const jobs = rules.map(() => makeJob(laneId, changes));
  return makeCall(jobs, { rules: rules.map((make, index) => make(index)), ...call });
}

/** For jobs that wait for an hour from `nowUs` on. */
export const inAnHour = (nowUs: number): Partial<NewJob> => ({ state: 'SCHEDULED', runTimeUs: nowUs + 3_600_000_000 });
