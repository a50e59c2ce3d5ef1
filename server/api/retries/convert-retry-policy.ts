/**
 * Converts retry policies between the contract and the core. Numbers get their defaults; enums with their default are
 * left out.
 */
import { create } from '@bufbuild/protobuf';
import {
  Backoff,
  CauseLimitsSchema,
  ExhaustionAction,
  Jitter,
  RetryPolicySchema,
  RetryRuleSchema,
  type CauseLimits as WireLimits,
  type RetryPolicy as WirePolicy,
  type RetryRule as WireRule,
} from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import type { RetryPolicy } from '../../domain/retries/retry-policy.ts';
import {
  type RetryAction,
  type RetryCause,
  type RetryRule,
  retryActions,
  retryCauses,
} from '../../domain/retries/retry-rules.ts';
import { checkRange, checkTypes, durationMs, isKnown, TEN_YEARS_MS, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const MAX_CODES = 255;
const MAX_DELAYS = 100;
const MAX_RULES = 20;
const MAX_LIMIT = 1_000;

const kinds = { [Backoff.LINEAR]: 'LINEAR', [Backoff.CONSTANT]: 'CONSTANT', [Backoff.LIST]: 'LIST' } as const;
const limitFields = {
  APPLICATION: 'application',
  TIMEOUT: 'timeout',
  LOST_WORKER: 'lostWorker',
  INFRASTRUCTURE: 'infrastructure',
} as const satisfies Record<RetryCause, keyof WireLimits>;
const causeNames = Object.keys(retryCauses) as RetryCause[];
const actionNames = Object.keys(retryActions) as RetryAction[];

/** Undefined if unset. */
export function retryPolicyFrom(
  wire: WirePolicy | undefined,
  field: string,
  violations: Violations,
): RetryPolicy | undefined {
  if (!wire) return undefined;
  const defaults = definitionDefaults.retryPolicy;
  checkRange(wire.maxAttempts, 0, 1_000, `${field}.max_attempts`, violations);
  checkTypes(wire.nonRetryableTypes, `${field}.non_retryable_types`, violations);
  const limits = limitsFrom(wire.limits, `${field}.limits`, violations);
  const rules = rulesFrom(wire.rules, `${field}.rules`, violations);
  return {
    maxAttempts: wire.maxAttempts || defaults.maxAttempts,
    ...backoffFrom(wire, field, violations),
    maxRetryDurationMs:
      durationMs(wire.maxRetryDuration, 1, TEN_YEARS_MS, `${field}.max_retry_duration`, violations) ??
      defaults.maxRetryDurationMs,
    nonRetryableTypes: wire.nonRetryableTypes,
    ...(rules.length > 0 ? { rules } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...exhaustionFrom(wire.onExhaustion, `${field}.on_exhaustion`, violations),
  };
}

function exhaustionFrom(
  wire: ExhaustionAction,
  field: string,
  violations: Violations,
): Pick<RetryPolicy, 'onExhaustion'> {
  checkKnown(ExhaustionAction, wire, field, violations);
  return wire === ExhaustionAction.PAUSE ? { onExhaustion: 'PAUSE' } : {};
}

type BackoffPart = Pick<
  RetryPolicy,
  'minBackoffMs' | 'maxBackoffMs' | 'multiplier' | 'backoff' | 'jitter' | 'delaysMs'
>;

function backoffFrom(wire: WirePolicy, field: string, violations: Violations): BackoffPart {
  const defaults = definitionDefaults.retryPolicy;
  violations.check(
    wire.multiplier === 0 || (wire.multiplier >= 1 && wire.multiplier <= 100),
    `${field}.multiplier`,
    'must be 0 (the default of 2) or from 1 to 100',
  );
  const minBackoffMs =
    durationMs(wire.minBackoff, 1, THIRTY_DAYS_MS, `${field}.min_backoff`, violations) ?? defaults.minBackoffMs;
  const maxBackoffMs =
    durationMs(wire.maxBackoff, 1, THIRTY_DAYS_MS, `${field}.max_backoff`, violations) ??
    Math.max(defaults.maxBackoffMs, minBackoffMs);
  violations.check(maxBackoffMs >= minBackoffMs, `${field}.max_backoff`, 'must not be shorter than min_backoff');
  checkKnown(Backoff, wire.backoff, `${field}.backoff`, violations);
  checkKnown(Jitter, wire.jitter, `${field}.jitter`, violations);
  const delaysMs = delaysFrom(wire, `${field}.delays`, violations);
  const backoff = kinds[wire.backoff as keyof typeof kinds];
  return {
    minBackoffMs,
    maxBackoffMs,
    multiplier: wire.multiplier || defaults.multiplier,
    ...(backoff ? { backoff } : {}),
    ...(wire.jitter === Jitter.NONE ? { jitter: 'NONE' } : {}),
    ...(delaysMs.length > 0 ? { delaysMs } : {}),
  };
}

function delaysFrom(wire: WirePolicy, field: string, violations: Violations): number[] {
  const { length } = wire.delays;
  if (wire.backoff !== Backoff.LIST) {
    violations.check(length === 0, field, 'is only for BACKOFF_LIST: set backoff to it, or leave the delays out');
    return [];
  }
  violations.check(length >= 1 && length <= MAX_DELAYS, field, `has ${length} entries; must have from 1 to 100`);
  return wire.delays
    .slice(0, MAX_DELAYS)
    .map((delay, i) => durationMs(delay, 0, THIRTY_DAYS_MS, `${field}[${i}]`, violations) ?? 0);
}

function rulesFrom(wire: readonly WireRule[], field: string, violations: Violations): RetryRule[] {
  violations.check(wire.length <= MAX_RULES, field, `has ${wire.length} entries; at most ${MAX_RULES} are allowed`);
  return wire.slice(0, MAX_RULES).map((rule, i) => ruleFrom(rule, `${field}[${i}]`, violations));
}

function ruleFrom(wire: WireRule, field: string, violations: Violations): RetryRule {
  checkTypes(wire.types, `${field}.types`, violations);
  checkCodes(wire.exitCodes, `${field}.exit_codes`, violations);
  const causes = causesFrom(wire, `${field}.causes`, violations);
  const action = actionNames.find((name) => retryActions[name] === (wire.action as number));
  if (!action)
    violations.add(`${field}.action`, wire.action === 0 ? 'is missing' : `has the unknown value ${wire.action}`);
  const mayWait = wire.action === retryActions.RETRY || wire.action === retryActions.IGNORE;
  violations.check(!wire.delay || mayWait, `${field}.delay`, 'is only for the actions RETRY and IGNORE');
  const delayMs = durationMs(wire.delay, 0, THIRTY_DAYS_MS, `${field}.delay`, violations);
  return {
    ...(wire.types.length > 0 ? { types: wire.types } : {}),
    ...(wire.exitCodes.length > 0 ? { exitCodes: wire.exitCodes } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    action: action ?? 'FAIL',
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

function checkCodes(codes: readonly number[], field: string, violations: Violations): void {
  violations.check(codes.length <= MAX_CODES, field, `has more than ${MAX_CODES} entries`);
  const wrong = codes.find((code) => code < 1 || code > 255);
  violations.check(wrong === undefined, field, `has the code ${wrong}; must be from 1 to 255: 0 is no failure`);
}

function causesFrom(wire: WireRule, field: string, violations: Violations): RetryCause[] {
  violations.check(wire.causes.length <= causeNames.length, field, 'has more entries than there are causes');
  return wire.causes.slice(0, causeNames.length).flatMap((code) => {
    const name = causeNames.find((cause) => retryCauses[cause] === (code as number));
    if (!name) violations.add(field, `has the unknown value ${code}`);
    return name ?? [];
  });
}

function limitsFrom(
  wire: WireLimits | undefined,
  field: string,
  violations: Violations,
): Partial<Record<RetryCause, number>> {
  const limits: Partial<Record<RetryCause, number>> = {};
  for (const cause of causeNames) {
    const limit = wire?.[limitFields[cause]] ?? 0;
    checkRange(limit, 0, MAX_LIMIT, `${field}.${cause.toLowerCase()}`, violations);
    if (limit > 0) limits[cause] = limit;
  }
  return limits;
}

function checkKnown(
  values: Readonly<Record<string, number>>,
  value: number,
  field: string,
  violations: Violations,
): void {
  violations.check(isKnown(values, value), field, `has the unknown value ${value}`);
}

/** The policy in effect, with defaults filled in. Policies that older releases stored lack newer fields. */
export function retryPolicyTo(policy: RetryPolicy): WirePolicy {
  const { backoff = 'EXPONENTIAL', jitter = 'FULL', limits } = policy;
  return create(RetryPolicySchema, {
    maxAttempts: policy.maxAttempts,
    minBackoff: durationTo(policy.minBackoffMs),
    maxBackoff: durationTo(policy.maxBackoffMs),
    multiplier: policy.multiplier,
    ...(policy.maxRetryDurationMs > 0 ? { maxRetryDuration: durationTo(policy.maxRetryDurationMs) } : {}),
    nonRetryableTypes: [...policy.nonRetryableTypes],
    backoff: Backoff[backoff],
    jitter: Jitter[jitter],
    delays: (policy.delaysMs ?? []).map(durationTo),
    rules: (policy.rules ?? []).map(ruleTo),
    ...(limits ? { limits: limitsTo(limits) } : {}),
    onExhaustion: ExhaustionAction[policy.onExhaustion ?? 'FAIL'],
  });
}

function ruleTo(rule: RetryRule): WireRule {
  return create(RetryRuleSchema, {
    types: [...(rule.types ?? [])],
    exitCodes: [...(rule.exitCodes ?? [])],
    causes: (rule.causes ?? []).map((cause) => retryCauses[cause]),
    action: retryActions[rule.action],
    ...(rule.delayMs === undefined ? {} : { delay: durationTo(rule.delayMs) }),
  });
}

function limitsTo(limits: NonNullable<RetryPolicy['limits']>): WireLimits {
  return create(
    CauseLimitsSchema,
    Object.fromEntries(causeNames.map((cause) => [limitFields[cause], limits[cause] ?? 0])),
  );
}
