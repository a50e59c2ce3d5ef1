/** Retry budgets between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import { definitionDefaults } from '../domain/definition.ts';
import type { RetryBudget } from '../domain/retry-budget.ts';
import { RetryBudgetSchema, type RetryBudget as WireBudget } from '../gen/muster/v1/retry_policy_pb.ts';
import { checkRange } from './checks.ts';
import type { Violations } from './violations.ts';

/** Undefined when unset. */
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
