/** Limits as callers write them: words for enums, milliseconds for durations. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { KeyLimit, RateLimit } from '../gen/muster/v1/limit_pb.ts';
import { KeyLimitSchema, LimitPolicy, RateLimitSchema } from '../gen/muster/v1/limit_pb.ts';
import { codeOf } from './words.ts';

/** How many attempts may be assigned in a time: in any stretch of time t no more than `burst + units * t / periodMs`. */
export interface RateLimitOptions {
  /** Units that come back in each period. From 1 to 1,000,000. */
  readonly units: number;
  /** Milliseconds in which they do. Default: 1,000. At most 30 days. */
  readonly periodMs?: number;
  /** Units that may be taken at once when none were taken for long. Default: as many as `units`. At most 1,000,000. */
  readonly burst?: number;
}

/** Options, or the message of the contract. */
export type RateLimitInit = RateLimitOptions | MessageInitShape<typeof RateLimitSchema>;

/** Limits for each value of a key. One of `maxConcurrency` and `rateLimit` has to be there. */
export interface KeyLimitOptions {
  /**
   * The key: a CEL expression over `input` and `labels`, such as `input.tenant`. At most 1,024 characters. Default: all jobs
   * of the definition have one key.
   */
  readonly key?: string;
  /** Jobs of a key that workers may hold at once. Default: no limit. At most 100,000. */
  readonly maxConcurrency?: number;
  /** What becomes of a new job at `maxConcurrency`. Default: WAIT. */
  readonly policy?: 'WAIT' | 'REJECT_NEW' | 'CANCEL_OLDEST' | 'REPLACE_WAITING';
  /** Attempts of a key that may be assigned in a time. Default: no limit. */
  readonly rateLimit?: RateLimitInit;
}

/** Options, or the message of the contract. */
export type KeyLimitInit = KeyLimitOptions | MessageInitShape<typeof KeyLimitSchema>;

/** @throws RangeError on a period that is negative. */
export function rateLimit(init: RateLimitInit): RateLimit {
  if ('$typeName' in init || !('periodMs' in init)) return create(RateLimitSchema, init);
  const { periodMs, ...same } = init;
  return create(RateLimitSchema, periodMs === undefined ? same : { ...same, period: durationFromMs(periodMs) });
}

/** @throws TypeError on a word that the contract does not have; RangeError on a period that is negative. */
export function keyLimit(init: KeyLimitInit): KeyLimit {
  if ('$typeName' in init) return create(KeyLimitSchema, init);
  const { policy, rateLimit: rate, ...same } = init;
  return create(KeyLimitSchema, {
    ...same,
    policy: typeof policy === 'number' ? policy : codeOf(LimitPolicy, policy, 'policy'),
    ...(rate === undefined ? {} : { rateLimit: rateLimit(rate) }),
  });
}
