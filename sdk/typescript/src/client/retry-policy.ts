/** Retry policies as callers write them: words for enums, milliseconds for durations. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { RetryPolicy, RetryRule } from '../gen/muster/v1/retry_policy_pb.ts';
import {
  Backoff,
  Jitter,
  RetryAction,
  RetryCause,
  RetryPolicySchema,
  RetryRuleSchema,
} from '../gen/muster/v1/retry_policy_pb.ts';
import { codeOf } from './words.ts';

/** What to do about failures of a kind. It matches when each of its conditions that is given does. */
export interface RetryRuleOptions {
  /** Types of failures, such as `RangeError`, compared letter by letter. At most 64. */
  readonly types?: readonly string[];
  /** What the process of the handler ended with: an error's `exitCode`. From 1 to 255. */
  readonly exitCodes?: readonly number[];
  /** Whose fault it was. `LOST_WORKER` and `INFRASTRUCTURE` speak about attempts that nobody reported, too. */
  readonly causes?: readonly ('APPLICATION' | 'TIMEOUT' | 'LOST_WORKER' | 'INFRASTRUCTURE')[];
  /**
   * `RETRY`: another attempt, this one counts. `FAIL`: the job ends. `IGNORE`: another attempt, this one does not count.
   * `PAUSE`: the job waits until somebody resumes it.
   */
  readonly action: 'RETRY' | 'FAIL' | 'IGNORE' | 'PAUSE';
  /** Milliseconds before the next attempt, with RETRY and IGNORE. Default: the policy's backoff. */
  readonly delayMs?: number;
}

/** When and how often a failed attempt is followed by another one. Everything may be left out. */
export interface RetryPolicyOptions {
  /** Attempts that count, the first included. Default: 3. At most 1,000. */
  readonly maxAttempts?: number;
  /** How the waits grow. Default: EXPONENTIAL. */
  readonly backoff?: 'EXPONENTIAL' | 'LINEAR' | 'CONSTANT' | 'LIST';
  /** FULL draws each wait evenly from zero to the backoff, NONE takes the backoff itself. Default: FULL. */
  readonly jitter?: 'FULL' | 'NONE';
  /** First backoff, in milliseconds. Default: 1,000. */
  readonly minBackoffMs?: number;
  /** Cap of every backoff but a list's, in milliseconds. Default: 300,000. */
  readonly maxBackoffMs?: number;
  /** Growth from one backoff to the next, with EXPONENTIAL. Default: 2. */
  readonly multiplier?: number;
  /** The backoffs themselves, in milliseconds, with LIST; the last one stays. From 1 to 100. */
  readonly delaysMs?: readonly number[];
  /** Milliseconds after the job's creation in which another attempt may begin. Default: no limit. */
  readonly maxRetryDurationMs?: number;
  /** Types of failures that are not retried. At most 64. */
  readonly nonRetryableTypes?: readonly string[];
  /** The first one that matches decides. At most 20. */
  readonly rules?: readonly RetryRuleOptions[];
  /** Attempts that may fail for one cause; the one that reaches the limit ends the job. */
  readonly limits?: {
    readonly application?: number;
    readonly timeout?: number;
    readonly lostWorker?: number;
    readonly infrastructure?: number;
  };
}

/** In words, or as the message of the contract. */
export type RetryPolicyInit = RetryPolicyOptions | MessageInitShape<typeof RetryPolicySchema>;

const messageFields = ['minBackoff', 'maxBackoff', 'maxRetryDuration', 'delays'];

/** @throws TypeError on a word that the contract does not have; RangeError on a duration that is negative. */
export function retryPolicy(init: RetryPolicyInit): RetryPolicy {
  if (isMessage(init)) return create(RetryPolicySchema, init);
  const { backoff, jitter, minBackoffMs, maxBackoffMs, maxRetryDurationMs, delaysMs = [], rules = [] } = init;
  const policy = create(RetryPolicySchema, {
    maxAttempts: init.maxAttempts ?? 0,
    multiplier: init.multiplier ?? 0,
    nonRetryableTypes: [...(init.nonRetryableTypes ?? [])],
    backoff: codeOf(Backoff, backoff, 'backoff'),
    jitter: codeOf(Jitter, jitter, 'jitter'),
    delays: delaysMs.map(durationFromMs),
    rules: rules.map(ruleOf),
    ...(init.limits ? { limits: init.limits } : {}),
  });
  if (minBackoffMs !== undefined) policy.minBackoff = durationFromMs(minBackoffMs);
  if (maxBackoffMs !== undefined) policy.maxBackoff = durationFromMs(maxBackoffMs);
  if (maxRetryDurationMs !== undefined) policy.maxRetryDuration = durationFromMs(maxRetryDurationMs);
  return policy;
}

/** What only the message has: durations, or numbers where the options have words. */
function isMessage(init: RetryPolicyInit): init is MessageInitShape<typeof RetryPolicySchema> {
  if ('$typeName' in init || messageFields.some((field) => field in init)) return true;
  const { backoff, jitter, rules = [] } = init;
  return [backoff, jitter, ...rules.map(({ action }) => action)].some((value) => typeof value === 'number');
}

function ruleOf({ action, delayMs, causes = [], types = [], exitCodes = [] }: RetryRuleOptions): RetryRule {
  const rule = create(RetryRuleSchema, {
    types: [...types],
    exitCodes: [...exitCodes],
    causes: causes.map((cause) => codeOf(RetryCause, cause, 'cause')),
    action: codeOf(RetryAction, action, 'action'),
  });
  if (delayMs !== undefined) rule.delay = durationFromMs(delayMs);
  return rule;
}
