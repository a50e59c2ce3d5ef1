/**
 * Applies a retry policy to a failure: non-retryable failures first, then rules, then non-retryable types, then limits.
 */

import { type Failure, systemFailure } from '../base/payload.ts';
import { countOf, withOneMore } from '../jobs/cause-counts.ts';
import { MAX_LOSSES, wastedOf } from '../jobs/losses.ts';
import type { OpenRun } from '../jobs/run.ts';
import { backoffMs } from './backoff.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { type FoundRule, findRule, type RetryCause, retryCauseOf } from './retry-rules.ts';

interface Counts {
  readonly attemptCount: number;
  /** Failed attempts per cause, packed; kept only if the policy has limits per cause. */
  readonly failures: number;
}

type Next =
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** `exhausted`: the limits leave no further attempt. */
  | { readonly kind: 'pause'; readonly reason: string; readonly exhausted: boolean }
  | { readonly kind: 'stop'; readonly reason: string; readonly failure: Failure };

export type Verdict = Next & Counts;
/** Neither a rule nor a limit applies to the loss. */
export type NoVerdict = Counts & { readonly kind: 'none' };

interface Chance {
  readonly nowUs: number;
  readonly random: number;
}

/** A failure with the parts of the policy that apply to it. */
interface Case extends Counts {
  readonly run: OpenRun;
  readonly failure: Failure;
  readonly policy: RetryPolicy;
  readonly cause: RetryCause;
  readonly rule: FoundRule | undefined;
  readonly counted: boolean;
}

/** The worker reported a failure, or the attempt timed out. */
export function judgeFailure(run: OpenRun, failure: Failure, policy: RetryPolicy, chance: Chance): Verdict {
  const given = caseOf(run, failure, policy, findRule(policy.rules, failure, false), true);
  const { rule, counted, attemptCount } = given;
  if (failure.nonRetryable) return stop(given, 'the handler said that another attempt cannot help');
  if (!rule && policy.nonRetryableTypes.includes(failure.type))
    return stop(given, `the retry policy does not retry ${failure.type}`);
  const backoff = () => backoffMs(policy, counted ? attemptCount : run.totalLosses + 1, chance.random);
  const next = follow(given, failure.retryDelayMs ?? rule?.delayMs ?? backoff());
  if (next.kind === 'stop') return next;
  const over = overLimit(given, next, chance.nowUs);
  if (over) return exhaust(given, over);
  return !counted && wastedOf(run, run.totalLosses + 1) >= MAX_LOSSES ? exhaust(given, ...lostTooOften(failure)) : next;
}

/** The attempt ended without a report. `charged`: we are not at fault, so it may count. */
export function judgeLoss(
  run: OpenRun,
  failure: Failure,
  policy: RetryPolicy,
  charged: boolean,
  chance: Chance,
): Verdict | NoVerdict {
  const rule = findRule(policy.rules, failure, true);
  const given = caseOf(run, failure, policy, rule, charged);
  const { attemptCount, failures } = given;
  if (!rule || (rule.action === 'IGNORE' && rule.delayMs === undefined)) {
    const over = overCause(given);
    return over ? exhaust(given, over) : { kind: 'none', attemptCount, failures };
  }
  const next = follow(given, rule.delayMs ?? backoffMs(policy, Math.max(1, attemptCount), chance.random));
  const over = given.counted && next.kind !== 'stop' && overLimit(given, next, chance.nowUs);
  return over ? exhaust(given, over) : next;
}

function caseOf(
  run: OpenRun,
  failure: Failure,
  policy: RetryPolicy,
  rule: FoundRule | undefined,
  charged: boolean,
): Case {
  const cause = retryCauseOf(failure);
  const counted = charged && counts(cause, rule);
  const tallied = policy.limits && charged && rule?.action !== 'IGNORE';
  const failures = tallied ? withOneMore(run.failures, cause) : run.failures;
  return { run, failure, policy, cause, rule, counted, failures, attemptCount: run.attemptCount + +counted };
}

/**
 * Failures of the handler count unless a rule ignores them; failures of the infrastructure count only if a rule retries
 * them.
 */
function counts(cause: RetryCause, rule: FoundRule | undefined): boolean {
  if (rule?.action === 'IGNORE') return false;
  if (cause === 'APPLICATION' || cause === 'TIMEOUT') return true;
  return rule?.action === 'RETRY' || rule?.action === 'PAUSE';
}

/** What the rule says, or a retry if there is no rule. */
function follow(given: Case, wishedMs: number): Verdict {
  const { rule, attemptCount, failures } = given;
  const what = describe(given);
  const by = rule ? `retry rule ${rule.number}` : '';
  if (rule?.action === 'FAIL') return stop(given, `${by} ends the job: ${what}`);
  if (rule?.action === 'PAUSE')
    return {
      kind: 'pause',
      attemptCount,
      failures,
      reason: `paused by ${by}: ${what}; ResumeJob continues it`,
      exhausted: false,
    };
  const delayMs = Math.max(1, wishedMs);
  const reason = `${what}; waits ${delayMs} ms for the next${by && ` by ${by}`}`;
  return { kind: 'retry', attemptCount, failures, delayMs, reason };
}

function describe({ counted, attemptCount, policy, failure }: Case): string {
  const which = counted ? `attempt ${attemptCount} of ${policy.maxAttempts}` : 'an attempt that does not count';
  const code = failure.exitCode === undefined ? '' : `, exit code ${failure.exitCode}`;
  return `${which} failed (${failure.type}${code})`;
}

function stop(given: Case, reason: string, failure = given.failure): Verdict {
  const { attemptCount, failures } = given;
  return { kind: 'stop', attemptCount, failures, reason, failure };
}

/** The end, or a pause if the policy says so. */
function exhaust(given: Case, reason: string, failure?: Failure): Verdict {
  const { policy, attemptCount, failures } = given;
  if (policy.onExhaustion !== 'PAUSE') return stop(given, reason, failure);
  return { kind: 'pause', attemptCount, failures, reason: exhaustedReason(reason), exhausted: true };
}

/** The reason of a job that is paused instead of failing, with what a person can do. */
export function exhaustedReason(reason: string): string {
  return `paused after its last attempt: ${reason}; ResumeJob counts anew, FailJob ends it`;
}

/**
 * The limit that leaves no further attempt, or undefined. A paused job has no next time yet: its next attempt may begin
 * at once.
 */
function overLimit(given: Case, next: Verdict, nowUs: number): string | undefined {
  const { run, policy, counted, attemptCount } = given;
  if (counted && attemptCount >= policy.maxAttempts) return `attempt ${attemptCount} of ${policy.maxAttempts} failed`;
  const nextUs = nowUs + (next.kind === 'retry' ? next.delayMs * 1000 : 0);
  if (
    policy.maxRetryDurationMs > 0 &&
    nextUs > (run.retriesSinceUs ?? run.createTimeUs) + policy.maxRetryDurationMs * 1000
  )
    return "the next attempt would begin after the policy's max_retry_duration";
  return overCause(given);
}

function overCause({ policy, cause, failures }: Case): string | undefined {
  const limit = policy.limits?.[cause] ?? 0;
  if (limit === 0 || countOf(failures, cause) < limit) return undefined;
  return `${limit} attempts failed with the cause ${cause}: no more are allowed`;
}

function lostTooOften(last: Failure): [string, Failure] {
  const message = `${MAX_LOSSES} attempts that do not count were lost, released or failed`;
  return [message, { ...systemFailure('LOST_TOO_OFTEN', 'LostTooOften', message), cause: last }];
}
