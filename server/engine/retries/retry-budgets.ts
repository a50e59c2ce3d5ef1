/** Retries that ask for capacity of their definitions' retry budgets. */
import type { Change } from '../../domain/jobs/run.ts';
import { asksForRetry, grantRetries, putOff } from '../../domain/retries/retry-budget.ts';
import type { BudgetOf } from '../../domain/retries/retry-policy.ts';
import type { Store } from '../ports/store.ts';

/**
 * Within the transaction that holds the jobs: delays retries beyond their budgets. One definition after the other, in
 * the order of their names.
 */
export async function keepBudgets(tx: Store, changes: readonly Change[]): Promise<Change[]> {
  const groups = Map.groupBy(
    changes.filter(asksForRetry),
    ({ retryBudget: { namespace, definition } }) => `${namespace}/${definition}`,
  );
  if (groups.size === 0) return [...changes];
  const later = new Map<Change, number>();
  for (const key of [...groups.keys()].sort()) {
    const group = groups.get(key) ?? [];
    const minutes = await spend(
      tx,
      group.map((change) => change.retryBudget),
    );
    for (const [i, change] of group.entries()) {
      const minute = minutes[i];
      if (minute !== undefined) later.set(change, minute);
    }
  }
  return changes.map((change) => {
    const minute = later.get(change);
    return minute === undefined || change.kind === 'end' ? change : putOff(change, minute);
  });
}

/**
 * Locks the minute of their one definition. For each, in order: undefined if it may begin, otherwise when to ask again.
 */
async function spend(tx: Store, asking: readonly BudgetOf[]): Promise<readonly (number | undefined)[]> {
  const { namespace, definition, minute } = asking[0] as BudgetOf;
  const key = { namespace, definition, minute };
  await tx.makeBudgetMinute(key);
  await tx.lockBudgetMinute(key);
  const grants = grantRetries(await tx.readBudgetMinutes(key), asking, minute);
  await tx.spendBudget(key, grants.spent);
  return grants.minutes;
}
