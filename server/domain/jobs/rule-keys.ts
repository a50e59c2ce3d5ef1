/** Keys of submission rules: one job holds a key, and the rule decides about other jobs with the same key. */
import type { JobState } from './job-state.ts';
import { type DuplicatePolicy, isBlocking, remainingMs } from './submission-rule.ts';

export interface KeyOfJob {
  /** Index of the job in its call. */
  readonly index: number;
  /** Unique across rules, definitions and namespaces. */
  readonly hash: Uint8Array;
}

export interface UniqueKey extends KeyOfJob {
  readonly kind: 'UNIQUENESS';
  readonly states: readonly JobState[];
  readonly policy: DuplicatePolicy;
  /** The job that this one retries, which does not count as a duplicate. */
  readonly retryOf: string | undefined;
}

export interface DebouncingKey extends KeyOfJob {
  readonly kind: 'DEBOUNCE';
  readonly maxWaitMs: number;
}

export interface ThrottleKey extends KeyOfJob {
  readonly kind: 'THROTTLE';
  readonly periodMs: number;
  readonly policy: DuplicatePolicy;
}

export type AnyRuleKey = UniqueKey | DebouncingKey | ThrottleKey;

/** A key that another job holds. */
export interface OwnedKey {
  readonly jobId: string;
  /** Undefined: the job is no longer kept. */
  readonly state: JobState | undefined;
  readonly untilUs: number | null;
  /** Null if the job is no longer kept. */
  readonly createTimeUs: number | null;
  readonly nowUs: number;
}

/** Why a call is refused: an existing job, or the index of another one in the same call. */
export type RuleRefusal = {
  readonly index: number;
  readonly jobId?: string;
  readonly ofIndex?: number;
} & ({ readonly kind: 'duplicate' } | { readonly kind: 'throttled'; readonly retryAfterMs: number });

/** The rules of a call's jobs that have the same key, in the order of the jobs. */
export type KeyGroup<K extends AnyRuleKey> = readonly [K, ...K[]];

/** The key as a string for maps. */
export function nameOf(hash: Uint8Array): string {
  return String.fromCharCode(...hash);
}

/** Groups by key, without jobs that already exist by their idempotency keys. */
export function groupsOf<K extends AnyRuleKey>(
  rules: readonly K[],
  existing: readonly boolean[],
): Map<string, KeyGroup<K>> {
  const groups = new Map<string, [K, ...K[]]>();
  for (const rule of rules) {
    if (existing[rule.index]) continue;
    const name = nameOf(rule.hash);
    const group = groups.get(name);
    if (group) group.push(rule);
    else groups.set(name, [rule]);
  }
  return groups;
}

/** The job that claims the key: the last one of a debounce, which is the one to run, otherwise the first. */
export function claimingOf<K extends AnyRuleKey>(group: KeyGroup<K>): K {
  return group[0].kind === 'DEBOUNCE' ? (group.at(-1) as K) : group[0];
}

/** The delay until a held key can be taken over. Undefined: none. UNIQUENESS has no known time: 0 ms. */
export function waitOf(
  rule: AnyRuleKey,
  held: OwnedKey,
  replacedJobId: string | undefined,
): { readonly ms: number } | undefined {
  if (rule.kind === 'DEBOUNCE') return undefined;
  if (rule.kind === 'UNIQUENESS') {
    const isIgnored = held.jobId === rule.retryOf || held.jobId === replacedJobId;
    return !isIgnored && isBlocking(held.state, rule.states) ? { ms: 0 } : undefined;
  }
  // A job that is no longer kept was made a moment before its key's time.
  const nextUs = held.createTimeUs === null ? (held.untilUs ?? 0) : held.createTimeUs + rule.periodMs * 1_000;
  const ms = remainingMs(nextUs, held.nowUs);
  return ms > 0 ? { ms } : undefined;
}

export function refusal(
  rule: AnyRuleKey,
  waitMs: number,
  of: { readonly jobId?: string; readonly ofIndex?: number },
): RuleRefusal {
  const { index, kind } = rule;
  return kind === 'UNIQUENESS'
    ? { kind: 'duplicate', index, ...of }
    : { kind: 'throttled', index, retryAfterMs: waitMs, ...of };
}

export function isRejected(rule: AnyRuleKey): boolean {
  return rule.kind !== 'DEBOUNCE' && rule.policy === 'REJECT';
}

/** Why the call is refused: one of its jobs conflicts with another one of the same call. */
export function refusalWithin(groups: Iterable<KeyGroup<AnyRuleKey>>): RuleRefusal | undefined {
  for (const [first, ...others] of groups) {
    const rejected = others.find(isRejected);
    if (!rejected) continue;
    const waitMs = rejected.kind === 'THROTTLE' ? rejected.periodMs : 0;
    return refusal(rejected, waitMs, { ofIndex: first.index });
  }
  return undefined;
}
