/** Converts limits to messages: strings stand for enums, milliseconds for durations. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { KeyLimit, RateLimit } from '../gen/muster/v1/limit_pb.ts';
import { KeyLimitSchema, LimitPolicy, RateLimitSchema } from '../gen/muster/v1/limit_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import { within } from '../options/known-options.ts';
import { codeOf } from './words.ts';

/**
 * Bounds the rate of assignments: in any interval of length t at most `burst + units * t / periodMs` attempts start.
 */
export interface RateLimitOptions {
  /** Units per period. From 1 to 1,000,000. */
  readonly units: number;
  /** Length of the period in milliseconds. Default: 1,000. At most 30 days. */
  readonly periodMs?: number;
  /** Units that may be used at once after an idle time. Default: `units`. At most 1,000,000. */
  readonly burst?: number;
}

/** Options, or the message of the contract. */
export type RateLimitInit = RateLimitOptions | MessageInitShape<typeof RateLimitSchema>;

/** Limits for each value of a key. At least one of `maxConcurrency` and `rateLimit` is required. */
export interface KeyLimitOptions {
  /**
   * The key: a CEL expression over `input` and `labels`, such as `input.tenant`. At most 1,024 characters. Default: all
   * jobs of the definition share one key.
   */
  readonly key?: string;
  /** Jobs of a key that workers may hold at once. Default: no limit. At most 100,000. */
  readonly maxConcurrency?: number;
  /** What happens to a new job when `maxConcurrency` is reached. Default: WAIT. */
  readonly policy?: 'WAIT' | 'REJECT_NEW' | 'CANCEL_OLDEST' | 'REPLACE_WAITING';
  /** Attempts of a key that may be assigned per period. Default: no limit. */
  readonly rateLimit?: RateLimitInit;
}

/** Options, or the message of the contract. */
export type KeyLimitInit = KeyLimitOptions | MessageInitShape<typeof KeyLimitSchema>;

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field is unknown; RangeError when the period is negative.
 */
export function rateLimit(init: RateLimitInit, where = 'rateLimit'): RateLimit {
  refuseUnknownFields(where, RateLimitSchema, init, { periodMs: true });
  if ('$typeName' in init || !('periodMs' in init)) return create(RateLimitSchema, init);
  const { periodMs, ...same } = init;
  return create(RateLimitSchema, periodMs === undefined ? same : { ...same, period: durationFromMs(periodMs) });
}

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field or the policy is unknown; RangeError when the period is negative.
 */
export function keyLimit(init: KeyLimitInit, where = 'keyLimit'): KeyLimit {
  refuseUnknownFields(where, KeyLimitSchema, init, { rateLimit: true });
  if ('$typeName' in init) return create(KeyLimitSchema, init);
  const { policy, rateLimit: rate, ...same } = init;
  return create(KeyLimitSchema, {
    ...same,
    policy: typeof policy === 'number' ? policy : codeOf(LimitPolicy, policy, 'policy'),
    ...(rate === undefined ? {} : { rateLimit: rateLimit(rate, within(where, 'rateLimit')) }),
  });
}
