/** Retry policies survive the contract both ways. Defaults are not stored, so equal policies keep their version. */
import { create } from '@bufbuild/protobuf';
import {
  Backoff,
  Jitter,
  RetryAction,
  RetryCause,
  RetryPolicySchema,
  type RetryPolicy as WirePolicy,
} from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { describe, expect, it } from 'vitest';
import { Violations } from '../../../server/api/base/violations.ts';
import { definitionHash } from '../../../server/api/definitions/convert-definition.ts';
import { retryPolicyFrom, retryPolicyTo } from '../../../server/api/retries/convert-retry-policy.ts';
import { definitionDefaults, type JobDefinition } from '../../../server/domain/definitions/definition.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import { retryActions, retryCauses } from '../../../server/domain/retries/retry-rules.ts';

function read(wire: Partial<Omit<WirePolicy, '$typeName'>>): RetryPolicy | undefined {
  const violations = new Violations();
  const policy = retryPolicyFrom(create(RetryPolicySchema, wire), 'p', violations);
  violations.throwIfAny();
  return policy;
}

/** A policy with every field set. */
const full: RetryPolicy = {
  maxAttempts: 7,
  minBackoffMs: 250,
  maxBackoffMs: 9_000,
  multiplier: 1.5,
  maxRetryDurationMs: 60_000,
  nonRetryableTypes: ['Gone'],
  backoff: 'LIST',
  jitter: 'NONE',
  delaysMs: [0, 1_500, 60_000],
  rules: [
    { types: ['A', 'B'], exitCodes: [1, 255], causes: ['APPLICATION', 'TIMEOUT'], action: 'RETRY', delayMs: 0 },
    { causes: ['LOST_WORKER', 'INFRASTRUCTURE'], action: 'IGNORE', delayMs: 30 },
    { types: ['C'], action: 'FAIL' },
    { action: 'PAUSE' },
  ],
  limits: { APPLICATION: 5, TIMEOUT: 2, LOST_WORKER: 1, INFRASTRUCTURE: 1_000 },
};

describe('a retry policy', () => {
  it('survives the way to the contract and back', () => {
    expect(read(retryPolicyTo(full))).toEqual(full);
  });

  it.each(['LINEAR', 'CONSTANT', undefined] as const)(
    'keeps the backoff %s on the way to the contract and back',
    (backoff) => {
      const { backoff: _, delaysMs: __, ...rest } = full;
      const policy = { ...rest, ...(backoff ? { backoff } : {}) };
      expect(read(retryPolicyTo(policy))).toEqual(policy);
    },
  );

  it('shows the effective defaults in unset fields', () => {
    expect(read({})).toEqual(definitionDefaults.retryPolicy);
    const wire = retryPolicyTo(definitionDefaults.retryPolicy);
    expect(wire).toMatchObject({ backoff: Backoff.EXPONENTIAL, jitter: Jitter.FULL, delays: [], rules: [] });
    expect(wire.limits).toBeUndefined();
  });

  it('keeps its version with its defaults written out, or in the form of an older release', () => {
    const stored: RetryPolicy = JSON.parse(
      '{"maxAttempts":3,"minBackoffMs":1000,"maxBackoffMs":300000,"multiplier":2,"maxRetryDurationMs":0,"nonRetryableTypes":[]}',
    );
    const written = read({ backoff: Backoff.EXPONENTIAL, jitter: Jitter.FULL, limits: { timeout: 0 } as never });
    const hashOf = (retryPolicy: RetryPolicy | undefined) =>
      definitionHash({ name: 'a', retryPolicy } as JobDefinition).toString();
    expect(hashOf(written)).toBe(hashOf(stored));
    expect(hashOf(read(retryPolicyTo(stored)))).toBe(hashOf(stored));
    expect(hashOf(full)).not.toBe(hashOf({ ...full, rules: [...(full.rules ?? [])].reverse() }));
  });

  it('uses the same enum numbers as the contract', () => {
    const named = (wire: object) => Object.fromEntries(Object.entries(wire).filter(([name]) => name !== 'UNSPECIFIED'));
    expect(retryActions).toEqual(named(RetryAction));
    expect(retryCauses).toEqual(named(RetryCause));
  });
});
