/** Requests to pause jobs. */
import type { Duration } from '@bufbuild/protobuf/wkt';
import { PausedTimeouts, type PauseJobRequest } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Pause } from '../../engine/jobs/change/pauses.ts';
import { checkText, durationMs, isKnown } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

/** The longest grace period, as for a cancel. */
const MAX_GRACE_MS = 3_600_000;

/** How long handlers that are asked to stop may take. Undefined: that of the definition. */
export function graceFrom(
  { running, grace }: { readonly running: boolean; readonly grace?: Duration | undefined },
  violations: Violations,
): number | undefined {
  violations.check(running || grace === undefined, 'grace', 'needs running: without it no handler is asked to stop');
  return durationMs(grace, 0, MAX_GRACE_MS, 'grace', violations);
}

type Wire = Pick<PauseJobRequest, 'running' | 'grace' | 'timeouts' | 'reason'>;

export function pauseFrom(wire: Wire, violations: Violations): Pause {
  const { running, timeouts, reason } = wire;
  checkText(reason, 256, 'reason', violations);
  violations.check(isKnown(PausedTimeouts, timeouts), 'timeouts', `has the unknown value ${timeouts}`);
  return { running, graceMs: graceFrom(wire, violations), reason, stopsTimeouts: timeouts === PausedTimeouts.STOP };
}
