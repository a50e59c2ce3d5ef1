/** Milliseconds to and from `google.protobuf.Duration`. */
import type { Duration } from '@bufbuild/protobuf/wkt';

/**
 * @param ms Milliseconds, not negative; fractions are kept down to the nanosecond.
 * @throws RangeError when `ms` is negative or not finite.
 */
export function durationFromMs(ms: number): Duration {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`a duration can't be ${ms} ms`);
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1_000_000));
  return { $typeName: 'google.protobuf.Duration', seconds: BigInt(seconds), nanos };
}

/** The duration in milliseconds, or `otherwise` when it is unset. */
export function durationToMs(duration: Duration | undefined, otherwise: number): number {
  if (duration === undefined) return otherwise;
  return Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
