/** Groups the jobs of a call by the keys of their rules, and applies a rule to a key that is taken. */
import { isBlocking, remainingMs } from '../../../domain/jobs/submission-rule.ts';
import type { NewJob, RuleKey, RuleRefusal, SubmitCall } from '../../../engine/ports/submissions.ts';
import type { Insertion } from './insert-jobs.ts';
import { type Claim, nameOf, type OwnedKey } from './submission-keys.ts';

/** The rules of a call's jobs that have the same key, in the order of the jobs. */
export type Group = readonly [RuleKey, ...RuleKey[]];

/** Groups by key, without jobs that already exist by their idempotency keys. */
export function groupsOf({ call, existing }: Insertion): Map<string, Group> {
  const groups = new Map<string, [RuleKey, ...RuleKey[]]>();
  for (const rule of call.rules ?? []) {
    if (existing[rule.index]) continue;
    const name = nameOf(rule.hash);
    const group = groups.get(name);
    if (group) group.push(rule);
    else groups.set(name, [rule]);
  }
  return groups;
}

/** The job that claims the key: the last one of a debounce, which is the one to run, otherwise the first. */
export function claimOf(call: SubmitCall, group: Group): Claim {
  const rule = group[0].kind === 'DEBOUNCE' ? (group.at(-1) as RuleKey) : group[0];
  return { rule, jobId: jobAt(call, rule).jobId };
}

export function jobAt(call: SubmitCall, { index }: RuleKey): NewJob {
  return call.jobs[index] as NewJob;
}

/** The delay until a held key can be taken over. Undefined: none. UNIQUENESS has no known time: 0 ms. */
export function waitOf(
  rule: RuleKey,
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
  rule: RuleKey,
  waitMs: number,
  of: { readonly jobId?: string; readonly ofIndex?: number },
): RuleRefusal {
  const { index, kind } = rule;
  return kind === 'UNIQUENESS'
    ? { kind: 'duplicate', index, ...of }
    : { kind: 'throttled', index, retryAfterMs: waitMs, ...of };
}

export function isRejected(rule: RuleKey): boolean {
  return rule.kind !== 'DEBOUNCE' && rule.policy === 'REJECT';
}

/** Why the call is refused: one of its jobs conflicts with another one of the same call. */
export function refusalWithin(groups: Iterable<Group>): RuleRefusal | undefined {
  for (const [first, ...others] of groups) {
    const rejected = others.find(isRejected);
    if (!rejected) continue;
    const waitMs = rejected.kind === 'THROTTLE' ? rejected.periodMs : 0;
    return refusal(rejected, waitMs, { ofIndex: first.index });
  }
  return undefined;
}
