/** Scaffolding: a copy of the engine's for submissions, until those are composed there too. Retries that ask for capacity of their definitions' retry budgets. */
import type { Change } from '../../domain/jobs/run.ts';
import { asksForRetry, grantRetries, minuteOf, putOff } from '../../domain/retries/retry-budget.ts';
import type { BudgetOf } from '../../domain/retries/retry-policy.ts';
import type { Session } from '../driver/database.ts';
import { lockBudgetMinute, makeBudgetMinute, readBudgetMinutes, spendBudget } from './retry-budgets.ts';

/**
 * Within the transaction that holds the jobs: delays retries beyond their budgets. One definition after the other, in
 * the order of their names.
 */
export async function keepBudgets(tx: Session, changes: readonly Change[], nowUs: number): Promise<Change[]> {
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
      minuteOf(nowUs),
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
async function spend(
  tx: Session,
  asking: readonly BudgetOf[],
  minute: number,
): Promise<readonly (number | undefined)[]> {
  const { namespace, definition } = asking[0] as BudgetOf;
  const key = { namespace, definition, minute };
  await makeBudgetMinute(tx, key);
  await lockBudgetMinute(tx, key);
  const grants = grantRetries(await readBudgetMinutes(tx, key), asking, minute);
  await spendBudget(tx, key, grants.spent);
  return grants.minutes;
}
