/** Converts circuit breakers between the contract and the core: their settings in definitions, and their status. */
import { create } from '@bufbuild/protobuf';
import {
  CircuitBreakerSchema,
  type CircuitBreakerStatus,
  CircuitBreakerStatusSchema,
  type CircuitBreaker as WireBreaker,
} from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_pb';
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import {
  type BreakerStatus,
  type CircuitBreaker,
  circuitStates,
  failuresNow,
} from '../../domain/retries/circuit-breaker.ts';
import { checkDottedName, checkRange, checkTypes, durationMs } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

/** Undefined if unset. `definition`: the definition's name, which is the breaker's default name. */
export function circuitBreakerFrom(
  wire: WireBreaker | undefined,
  definition: string,
  field: string,
  violations: Violations,
): CircuitBreaker | undefined {
  if (!wire) return undefined;
  const { failureThreshold, types } = wire;
  if (wire.name !== '') checkDottedName(wire.name, `${field}.name`, violations);
  checkRange(failureThreshold, 1, 10_000, `${field}.failure_threshold`, violations);
  checkTypes(types, `${field}.types`, violations);
  return {
    name: wire.name || definition,
    failureThreshold,
    windowMs:
      durationMs(wire.window, 1_000, 3_600_000, `${field}.window`, violations) ?? definitionDefaults.breakerWindowMs,
    openDurationMs:
      durationMs(wire.openDuration, 1_000, 86_400_000, `${field}.open_duration`, violations) ??
      definitionDefaults.breakerOpenDurationMs,
    types,
  };
}

export function circuitBreakerTo(breaker: CircuitBreaker): WireBreaker {
  const { name, failureThreshold, windowMs, openDurationMs, types } = breaker;
  return create(CircuitBreakerSchema, {
    name,
    failureThreshold,
    window: durationTo(windowMs),
    openDuration: durationTo(openDurationMs),
    types: [...types],
  });
}

export function breakerStatusTo(
  status: BreakerStatus & { readonly name: string },
  nowUs: number,
): CircuitBreakerStatus {
  const [openTime, probeTime] = [status.openTimeUs, status.probeTimeUs].map((us) => timestampTo(us ?? undefined));
  return create(CircuitBreakerStatusSchema, {
    name: status.name,
    state: circuitStates[status.state],
    failureCount: failuresNow(status, nowUs),
    ...(openTime ? { openTime } : {}),
    ...(probeTime ? { probeTime } : {}),
    probeJobId: status.probe?.jobId ?? '',
  });
}
