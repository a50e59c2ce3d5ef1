/** Conversion of retry policies given as objects to messages. Messages are passed through. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { jobSubmission } from '../../../sdk/typescript/src/client/jobs/submission.ts';
import { retryPolicy } from '../../../sdk/typescript/src/client/retry-policy.ts';
import { RetryPolicySchema } from '../../../sdk/typescript/src/gen/muster/v1/retry_policy_pb.ts';

const second = { seconds: 1n, nanos: 0 };

describe('a retry policy', () => {
  test('as an object can express everything in the contract', () => {
    const policy = retryPolicy({
      maxAttempts: 5,
      backoff: 'LIST',
      jitter: 'NONE',
      minBackoffMs: 1_000,
      maxBackoffMs: 1_000,
      multiplier: 3,
      delaysMs: [1_000, 500],
      maxRetryDurationMs: 1_000,
      nonRetryableTypes: ['Gone'],
      rules: [
        { types: ['A'], exitCodes: [3], causes: ['TIMEOUT', 'LOST_WORKER'], action: 'IGNORE', delayMs: 1_000 },
        { action: 'PAUSE' },
      ],
      limits: { lostWorker: 2 },
      onExhaustion: 'PAUSE',
    });
    expect(policy).toMatchObject({
      maxAttempts: 5,
      backoff: 4,
      jitter: 2,
      minBackoff: second,
      maxBackoff: second,
      multiplier: 3,
      delays: [second, { nanos: 500_000_000 }],
      maxRetryDuration: second,
      nonRetryableTypes: ['Gone'],
      rules: [
        { types: ['A'], exitCodes: [3], causes: [2, 3], action: 3, delay: second },
        { types: [], exitCodes: [], causes: [], action: 4 },
      ],
      limits: { application: 0, timeout: 0, lostWorker: 2, infrastructure: 0 },
      onExhaustion: 2,
    });
    expect(policy.rules[1]?.delay).toBeUndefined();
  });

  test('leaves unset fields to the server', () => {
    expect(retryPolicy({})).toEqual(create(RetryPolicySchema));
  });

  test('may be a message, as a whole or in its fields', () => {
    const message = create(RetryPolicySchema, { maxAttempts: 2 });
    expect(retryPolicy(message)).toBe(message);
    expect(retryPolicy({ minBackoff: { seconds: 1n, nanos: 0, $typeName: 'google.protobuf.Duration' } })).toMatchObject(
      {
        minBackoff: second,
      },
    );
    expect(retryPolicy({ rules: [{ action: 2 }] })).toMatchObject({ rules: [{ action: 2 }] });
    expect(retryPolicy({ jitter: 2 })).toMatchObject({ jitter: 2 });
  });

  test('refuses unknown words and negative times', () => {
    expect(() => retryPolicy({ backoff: 'FIBONACCI' as 'LIST' })).toThrow(/no backoff "FIBONACCI"/);
    expect(() => retryPolicy({ rules: [{ action: 'STOP' as 'FAIL' }] })).toThrow(TypeError);
    expect(() => retryPolicy({ rules: [{ action: 'RETRY', causes: ['ME' as 'TIMEOUT'] }] })).toThrow(TypeError);
    expect(() => retryPolicy({ minBackoffMs: -1 })).toThrow(RangeError);
  });

  test('may be part of a submission', () => {
    const { retryPolicy: given } = jobSubmission('x', undefined, { retryPolicy: { rules: [{ action: 'FAIL' }] } });
    expect(given).toMatchObject({ rules: [{ action: 2 }] });
    expect(jobSubmission('x', undefined, {}).retryPolicy).toBeUndefined();
  });
});
