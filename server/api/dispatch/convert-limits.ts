/** Converts limits and fairness between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { JobDefinition as WireDefinition } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import {
  KeyLimitSchema,
  RateLimitSchema,
  type KeyLimit as WireKeyLimit,
  LimitPolicy as WirePolicy,
  type RateLimit as WireRate,
} from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import { compileKey, MAX_KEY } from '../../domain/definitions/key-expression.ts';
import { MAX_WEIGHT, MIN_WEIGHT } from '../../domain/dispatch/fair-rank.ts';
import type { KeyLimit, LimitPolicy, RateLimit } from '../../domain/dispatch/limits.ts';
import { checkRange, checkText, durationMs, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';

const MAX_CONCURRENCY = 100_000;
const MAX_UNITS = 1_000_000;
const MAX_COST = 1_000;
const MAX_WEIGHTS = 500;

const policies: Record<WirePolicy, LimitPolicy> = {
  [WirePolicy.UNSPECIFIED]: 'WAIT',
  [WirePolicy.WAIT]: 'WAIT',
  [WirePolicy.REJECT_NEW]: 'REJECT_NEW',
  [WirePolicy.CANCEL_OLDEST]: 'CANCEL_OLDEST',
  [WirePolicy.REPLACE_WAITING]: 'REPLACE_WAITING',
};

/** Undefined: no limit. */
export function maxConcurrencyFrom(value: number, field: string, violations: Violations): number | undefined {
  checkRange(value, 0, MAX_CONCURRENCY, field, violations);
  return value === 0 ? undefined : value;
}

export function rateLimitFrom(
  wire: WireRate | undefined,
  field: string,
  violations: Violations,
): RateLimit | undefined {
  if (!wire) return undefined;
  checkRange(wire.units, 1, MAX_UNITS, `${field}.units`, violations);
  checkRange(wire.burst, 0, MAX_UNITS, `${field}.burst`, violations);
  const periodMs = durationMs(wire.period, 1, THIRTY_DAYS_MS, `${field}.period`, violations) ?? 1_000;
  return { units: wire.units, periodMs, burst: wire.burst || wire.units };
}

export function rateLimitTo({ units, periodMs, burst }: RateLimit): WireRate {
  return create(RateLimitSchema, { units, period: durationTo(periodMs), burst });
}

export function checkExpression(text: string, field: string, violations: Violations): void {
  if (text === '') return;
  const compiled = compileKey(text);
  if ('problem' in compiled) violations.add(field, compiled.problem);
}

function keyLimitFrom(wire: WireKeyLimit | undefined, field: string, violations: Violations): KeyLimit | undefined {
  if (!wire) return undefined;
  checkExpression(wire.key, `${field}.key`, violations);
  const maxConcurrency = maxConcurrencyFrom(wire.maxConcurrency, `${field}.max_concurrency`, violations);
  const rateLimit = rateLimitFrom(wire.rateLimit, `${field}.rate_limit`, violations);
  const policy = policies[wire.policy];
  if (!policy) violations.add(`${field}.policy`, `has the unknown value ${wire.policy}`);
  violations.check(
    maxConcurrency !== undefined || rateLimit !== undefined,
    field,
    'limits nothing: set max_concurrency or rate_limit',
  );
  violations.check(
    maxConcurrency !== undefined || !policy || policy === 'WAIT',
    `${field}.policy`,
    'applies to jobs beyond max_concurrency, which is not set',
  );
  return {
    key: wire.key,
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    policy: policy ?? 'WAIT',
    ...(rateLimit ? { rateLimit } : {}),
  };
}

type Limits = Pick<JobDefinition, 'fairnessKey' | 'maxConcurrency' | 'rateLimit' | 'rateCost' | 'keyLimit'>;

export function limitsFrom(wire: WireDefinition, violations: Violations): Limits {
  const field = (name: string) => `definition.${name}`;
  checkExpression(wire.fairnessKey, field('fairness_key'), violations);
  const maxConcurrency = maxConcurrencyFrom(wire.maxConcurrency, field('max_concurrency'), violations);
  const rateLimit = rateLimitFrom(wire.rateLimit, field('rate_limit'), violations);
  checkRange(wire.rateCost, 0, MAX_COST, field('rate_cost'), violations);
  const keyLimit = keyLimitFrom(wire.keyLimit, field('key_limit'), violations);
  return {
    ...(wire.fairnessKey ? { fairnessKey: wire.fairnessKey } : {}),
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(rateLimit ? { rateLimit } : {}),
    ...(wire.rateCost > 1 ? { rateCost: wire.rateCost } : {}),
    ...(keyLimit ? { keyLimit } : {}),
  };
}

export function limitsTo({ fairnessKey, maxConcurrency, rateLimit, rateCost, keyLimit }: Limits) {
  return {
    fairnessKey: fairnessKey ?? '',
    maxConcurrency: maxConcurrency ?? 0,
    ...(rateLimit ? { rateLimit: rateLimitTo(rateLimit) } : {}),
    rateCost: rateCost ?? 0,
    ...(keyLimit ? { keyLimit: keyLimitTo(keyLimit) } : {}),
  };
}

function keyLimitTo({ key, maxConcurrency, policy, rateLimit }: KeyLimit): WireKeyLimit {
  return create(KeyLimitSchema, {
    key,
    maxConcurrency: maxConcurrency ?? 0,
    policy: WirePolicy[policy],
    ...(rateLimit ? { rateLimit: rateLimitTo(rateLimit) } : {}),
  });
}

/** Sorted by key, without weights of 1, which is the default. */
export function weightsFrom(
  wire: Readonly<Record<string, number>>,
  field: string,
  violations: Violations,
): Readonly<Record<string, number>> {
  const entries = Object.entries(wire);
  violations.check(entries.length <= MAX_WEIGHTS, field, `has more than ${MAX_WEIGHTS} entries`);
  for (const [key, weight] of entries.slice(0, MAX_WEIGHTS)) {
    checkText(key, MAX_KEY, field, violations);
    violations.check(key !== '', field, 'has an empty key; jobs without a key have no share of their own');
    violations.check(
      weight >= MIN_WEIGHT && weight <= MAX_WEIGHT,
      `${field}[${JSON.stringify(key.slice(0, 64))}]`,
      `is ${weight}; must be from ${MIN_WEIGHT} to ${MAX_WEIGHT}`,
    );
  }
  return sortedMap(Object.fromEntries(entries.filter(([, weight]) => weight !== 1)));
}
