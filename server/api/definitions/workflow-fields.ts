/**
 * Fields of a definition about how attempts run. Workflows and waits have no attempts: a workflow's steps have jobs
 * with their own definitions.
 */
import type { JobDefinition as WireDefinition } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { Violations } from '../base/violations.ts';

const refusals = {
  workflow: 'applies to attempts, and a workflow has none: set it in the definitions of its steps',
  wait: 'applies to attempts, and a wait has none: leave it out',
} as const;

/** Refuses fields without an effect instead of ignoring them silently. */
export function refuseFieldsOfAttempts(
  wire: WireDefinition,
  violations: Violations,
  of: keyof typeof refusals = 'workflow',
): void {
  const { retryPolicy } = wire;
  const isRetried = retryPolicy !== undefined && (retryPolicy.maxAttempts > 1 || retryPolicy.rules.length > 0);
  const given: readonly (readonly [boolean, string])[] = [
    [isRetried, 'retry_policy'],
    [wire.retryBudget !== undefined, 'retry_budget'],
    [wire.circuitBreaker !== undefined, 'circuit_breaker'],
    [wire.demands !== undefined, 'demands'],
    [of === 'workflow' && wire.runTimeout !== undefined, 'run_timeout'],
    [wire.progressTimeout !== undefined, 'progress_timeout'],
    [wire.progressWatchdog !== undefined, 'progress_watchdog'],
    [wire.cancelGrace !== undefined, 'cancel_grace'],
    [wire.leaseLossAction !== 0, 'lease_loss_action'],
    [wire.maxConcurrency !== 0, 'max_concurrency'],
    [wire.rateLimit !== undefined, 'rate_limit'],
    [wire.rateCost !== 0, 'rate_cost'],
    [wire.keyLimit !== undefined, 'key_limit'],
  ];
  for (const [isGiven, field] of given) violations.check(!isGiven, `definition.${field}`, refusals[of]);
}
