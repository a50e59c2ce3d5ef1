/** How long handlers that are asked to stop may take. */
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationMs } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

/** The longest grace period, as for a cancel. */
const MAX_GRACE_MS = 3_600_000;

/** Undefined: that of the definition. */
export function graceFrom(
  { running, grace }: { readonly running: boolean; readonly grace?: Duration | undefined },
  violations: Violations,
): number | undefined {
  violations.check(running || grace === undefined, 'grace', 'needs running: without it no handler is asked to stop');
  return durationMs(grace, 0, MAX_GRACE_MS, 'grace', violations);
}
