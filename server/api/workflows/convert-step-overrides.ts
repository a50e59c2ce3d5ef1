/** Converts a step's overrides of its definition between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import { StepOverridesSchema, type StepOverrides as WireOverrides } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import type { StepOverrides } from '../../domain/workflows/workflow.ts';
import { checkName, checkRange, durationMs, TEN_YEARS_MS, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { demandsFrom, demandsTo } from '../dispatch/convert-demands.ts';
import { retryPolicyFrom, retryPolicyTo } from '../retries/convert-retry-policy.ts';

/** Undefined: no overrides. */
export function overridesFrom(
  wire: WireOverrides | undefined,
  field: string,
  violations: Violations,
): StepOverrides | undefined {
  if (!wire) return undefined;
  const { queue, priority } = wire;
  if (queue !== '') checkName(queue, `${field}.queue`, violations);
  if (priority !== undefined) checkRange(priority, -100, 100, `${field}.priority`, violations);
  const overrides = {
    queue: queue || undefined,
    priority,
    retryPolicy: retryPolicyFrom(wire.retryPolicy, `${field}.retry_policy`, violations),
    runTimeoutMs: durationMs(wire.runTimeout, 1, THIRTY_DAYS_MS, `${field}.run_timeout`, violations),
    demands: demandsFrom(wire.demands, `${field}.demands`, violations),
    delayMs: durationMs(wire.delay, 1, TEN_YEARS_MS, `${field}.delay`, violations),
    expireAfterMs: durationMs(wire.expireAfter, 1, THIRTY_DAYS_MS, `${field}.expire_after`, violations),
  };
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return given.length > 0 ? (Object.fromEntries(given) as StepOverrides) : undefined;
}

export function overridesTo(overrides: StepOverrides): WireOverrides {
  const { queue, priority, retryPolicy, runTimeoutMs, demands, expireAfterMs, delayMs } = overrides;
  return create(StepOverridesSchema, {
    queue: queue ?? '',
    ...(priority === undefined ? {} : { priority }),
    ...(retryPolicy ? { retryPolicy: retryPolicyTo(retryPolicy) } : {}),
    ...(runTimeoutMs === undefined ? {} : { runTimeout: durationTo(runTimeoutMs) }),
    ...(demands ? { demands: demandsTo(demands) } : {}),
    ...(expireAfterMs === undefined ? {} : { expireAfter: durationTo(expireAfterMs) }),
    ...(delayMs === undefined ? {} : { delay: durationTo(delayMs) }),
  });
}
