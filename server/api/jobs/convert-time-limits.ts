/** Converts a definition's time limits between the contract and the core. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type JobDefinitionSchema,
  ProgressWatchdogSchema,
  type JobDefinition as WireDefinition,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { TimeLimits, Watchdog } from '../../domain/jobs/time-limits.ts';
import { durationMs, TEN_YEARS_MS, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

function watchdogFrom(wire: WireDefinition['progressWatchdog'], violations: Violations): Watchdog | undefined {
  if (!wire) return undefined;
  const field = 'definition.progress_watchdog';
  violations.check(
    wire.minFraction > 0 && wire.minFraction <= 1,
    `${field}.min_fraction`,
    `is ${wire.minFraction}; must be above 0 and at most 1`,
  );
  violations.check(wire.window !== undefined, `${field}.window`, 'is missing: set the time within which it must grow');
  const windowMs = durationMs(wire.window, SECOND_MS, DAY_MS, `${field}.window`, violations) ?? DAY_MS;
  return { minFraction: wire.minFraction, windowMs };
}

/** Undefined without limits: so the content of a definition without limits equals that of a release which had none. */
export function timeLimitsFrom(wire: WireDefinition, violations: Violations): TimeLimits | undefined {
  const span = (value: WireDefinition['queueTimeout'], min: number, max: number, field: string) =>
    durationMs(value, min, max, `definition.${field}`, violations);
  const limits = {
    queueTimeoutMs: span(wire.queueTimeout, 1, THIRTY_DAYS_MS, 'queue_timeout'),
    totalTimeoutMs: span(wire.totalTimeout, 1, TEN_YEARS_MS, 'total_timeout'),
    progressTimeoutMs: span(wire.progressTimeout, SECOND_MS, THIRTY_DAYS_MS, 'progress_timeout'),
    watchdog: watchdogFrom(wire.progressWatchdog, violations),
  };
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  return given.length > 0 ? (Object.fromEntries(given) as TimeLimits) : undefined;
}

export function timeLimitsTo(limits: TimeLimits | undefined): MessageInitShape<typeof JobDefinitionSchema> {
  const { queueTimeoutMs, totalTimeoutMs, progressTimeoutMs, watchdog } = limits ?? {};
  return {
    ...(queueTimeoutMs === undefined ? {} : { queueTimeout: durationTo(queueTimeoutMs) }),
    ...(totalTimeoutMs === undefined ? {} : { totalTimeout: durationTo(totalTimeoutMs) }),
    ...(progressTimeoutMs === undefined ? {} : { progressTimeout: durationTo(progressTimeoutMs) }),
    ...(watchdog
      ? {
          progressWatchdog: create(ProgressWatchdogSchema, {
            minFraction: watchdog.minFraction,
            window: durationTo(watchdog.windowMs),
          }),
        }
      : {}),
  };
}
