/** Converts retry budgets between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import { RetryBudgetSchema, type RetryBudget as WireBudget } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import type { RetryBudget } from '../../domain/retries/retry-policy.ts';
import { checkRange } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

/** Undefined if unset. */
export function retryBudgetFrom(
  wire: WireBudget | undefined,
  field: string,
  violations: Violations,
): RetryBudget | undefined {
  if (!wire) return undefined;
  checkRange(wire.ratio, 0, 10, `${field}.ratio`, violations);
  checkRange(wire.minPerMinute, 0, 1_000_000, `${field}.min_per_minute`, violations);
  return { ratio: wire.ratio, minPerMinute: wire.minPerMinute || definitionDefaults.retryBudgetMinPerMinute };
}

export function retryBudgetTo(budget: RetryBudget): WireBudget {
  return create(RetryBudgetSchema, { ...budget });
}
