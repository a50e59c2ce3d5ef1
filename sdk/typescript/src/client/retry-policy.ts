/** Converts retry policies to messages: strings stand for enums, milliseconds for durations. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { RetryPolicy, RetryRule } from '../gen/muster/v1/retry_policy_pb.ts';
import {
  Backoff,
  ExhaustionAction,
  Jitter,
  RetryAction,
  RetryCause,
  RetryPolicySchema,
  RetryRuleSchema,
} from '../gen/muster/v1/retry_policy_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions, within } from '../options/known-options.ts';
import { codeOf } from './words.ts';

/** A rule for some failures. It matches when all of its given conditions do. */
export interface RetryRuleOptions {
  /** Failure types, such as `RangeError`; compared exactly. At most 64. */
  readonly types?: readonly string[];
  /** Exit codes of the handler's process: an error's `exitCode`. From 1 to 255. */
  readonly exitCodes?: readonly number[];
  /** Causes of the failure. `LOST_WORKER` and `INFRASTRUCTURE` also match attempts that nobody reported. */
  readonly causes?: readonly ('APPLICATION' | 'TIMEOUT' | 'LOST_WORKER' | 'INFRASTRUCTURE')[];
  /**
   * `RETRY`: another attempt; this one counts. `FAIL`: the job ends. `IGNORE`: another attempt; this one does not
   * count. `PAUSE`: the job waits until it is resumed.
   */
  readonly action: 'RETRY' | 'FAIL' | 'IGNORE' | 'PAUSE';
  /** Milliseconds before the next attempt, with RETRY and IGNORE. Default: the policy's backoff. */
  readonly delayMs?: number;
}

const ruleOptions: Known<RetryRuleOptions> = {
  types: true,
  exitCodes: true,
  causes: true,
  action: true,
  delayMs: true,
};

/** When and how often failed attempts are retried. All fields are optional. */
export interface RetryPolicyOptions {
  /** Maximum number of counted attempts, the first included. Default: 3. At most 1,000. */
  readonly maxAttempts?: number;
  /** Growth of the backoff. Default: EXPONENTIAL. */
  readonly backoff?: 'EXPONENTIAL' | 'LINEAR' | 'CONSTANT' | 'LIST';
  /** FULL draws each delay uniformly between zero and the backoff; NONE uses the backoff itself. Default: FULL. */
  readonly jitter?: 'FULL' | 'NONE';
  /** First backoff, in milliseconds. Default: 1,000. */
  readonly minBackoffMs?: number;
  /** Maximum backoff in milliseconds; does not apply to LIST. Default: 300,000. */
  readonly maxBackoffMs?: number;
  /** Factor from one backoff to the next, with EXPONENTIAL. Default: 2. */
  readonly multiplier?: number;
  /** The backoffs in milliseconds, with LIST; the last one repeats. From 1 to 100 entries. */
  readonly delaysMs?: readonly number[];
  /** Milliseconds after the job's creation within which another attempt may start. Default: no limit. */
  readonly maxRetryDurationMs?: number;
  /** Failure types that are not retried. At most 64. */
  readonly nonRetryableTypes?: readonly string[];
  /** The first matching rule decides. At most 20. */
  readonly rules?: readonly RetryRuleOptions[];
  /** Failed attempts per cause; the attempt that reaches the limit ends the job. */
  readonly limits?: {
    readonly application?: number;
    readonly timeout?: number;
    readonly lostWorker?: number;
    readonly infrastructure?: number;
  };
  /**
   * PAUSE: a job that has no further attempt waits, PAUSED, for a person: `resume` counts anew, `fail` ends it. Default:
   * FAIL.
   */
  readonly onExhaustion?: 'FAIL' | 'PAUSE';
}

const policyOptions: Known<RetryPolicyOptions> = {
  maxAttempts: true,
  backoff: true,
  jitter: true,
  minBackoffMs: true,
  maxBackoffMs: true,
  multiplier: true,
  delaysMs: true,
  maxRetryDurationMs: true,
  nonRetryableTypes: true,
  rules: true,
  limits: true,
  onExhaustion: true,
};

const limitOptions: Known<NonNullable<RetryPolicyOptions['limits']>> = {
  application: true,
  timeout: true,
  lostWorker: true,
  infrastructure: true,
};

/** Options, or the message of the contract. */
export type RetryPolicyInit = RetryPolicyOptions | MessageInitShape<typeof RetryPolicySchema>;

const messageFields = ['minBackoff', 'maxBackoff', 'maxRetryDuration', 'delays'];

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field or a string is unknown; RangeError when a duration is negative.
 */
export function retryPolicy(init: RetryPolicyInit, where = 'retryPolicy'): RetryPolicy {
  if (isMessage(init)) {
    refuseUnknownFields(where, RetryPolicySchema, init);
    return create(RetryPolicySchema, init);
  }
  refuseUnknownOptions(where, init, policyOptions);
  refuseUnknownOptions(within(where, 'limits'), init.limits ?? {}, limitOptions);
  const { backoff, jitter, minBackoffMs, maxBackoffMs, maxRetryDurationMs, delaysMs = [], rules = [] } = init;
  const { onExhaustion } = init;
  const policy = create(RetryPolicySchema, {
    maxAttempts: init.maxAttempts ?? 0,
    multiplier: init.multiplier ?? 0,
    nonRetryableTypes: [...(init.nonRetryableTypes ?? [])],
    backoff: codeOf(Backoff, backoff, 'backoff'),
    jitter: codeOf(Jitter, jitter, 'jitter'),
    delays: delaysMs.map(durationFromMs),
    rules: rules.map((rule, i) => ruleOf(rule, `${within(where, 'rules')}[${i}]`)),
    ...(init.limits ? { limits: init.limits } : {}),
    onExhaustion: codeOf(ExhaustionAction, onExhaustion, 'onExhaustion'),
  });
  if (minBackoffMs !== undefined) policy.minBackoff = durationFromMs(minBackoffMs);
  if (maxBackoffMs !== undefined) policy.maxBackoff = durationFromMs(maxBackoffMs);
  if (maxRetryDurationMs !== undefined) policy.maxRetryDuration = durationFromMs(maxRetryDurationMs);
  return policy;
}

/** Recognizes the message: it has durations, or numbers where the options have strings. */
function isMessage(init: RetryPolicyInit): init is MessageInitShape<typeof RetryPolicySchema> {
  if ('$typeName' in init || messageFields.some((field) => field in init)) return true;
  const { backoff, jitter, onExhaustion, rules = [] } = init;
  return [backoff, jitter, onExhaustion, ...rules.map(({ action }) => action)].some(
    (value) => typeof value === 'number',
  );
}

function ruleOf(options: RetryRuleOptions, where: string): RetryRule {
  refuseUnknownOptions(where, options, ruleOptions);
  const { action, delayMs, causes = [], types = [], exitCodes = [] } = options;
  const rule = create(RetryRuleSchema, {
    types: [...types],
    exitCodes: [...exitCodes],
    causes: causes.map((cause) => codeOf(RetryCause, cause, 'cause')),
    action: codeOf(RetryAction, action, 'action'),
  });
  if (delayMs !== undefined) rule.delay = durationFromMs(delayMs);
  return rule;
}
