/** Counts of retry budgets: first attempts when jobs are submitted, retries when they are due. */

import type { Change } from '../../domain/jobs/run.ts';
import {
  asksForRetry,
  grantRetries,
  MAX_MINUTES_AHEAD,
  type MinuteCounts,
  minuteOf,
  putOff,
} from '../../domain/retries/retry-budget.ts';
import type { BudgetOf } from '../../domain/retries/retry-policy.ts';
import type { NewJob } from '../../engine/ports/submissions.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';

const columns = { lane_id: 'int', minute: 'bigint', jobs: 'int' };

// A job that may start at once counts in this minute. Sorted, so that all transactions lock rows in this order.
const countMany = {
  name: 'count_first_attempts',
  text: `
WITH now AS MATERIALIZED (SELECT floor(extract(epoch FROM muster_now()) / 60)::bigint AS minute)
INSERT INTO retry_budgets AS b (namespace, definition, minute, first_attempts)
SELECT l.namespace, l.definition, greatest(i.minute, now.minute) AS minute, sum(i.jobs)
FROM ${inputTable(columns, 'i')}
CROSS JOIN LATERAL (SELECT namespace, definition FROM lanes WHERE lanes.lane_id = i.lane_id OFFSET 0) AS l CROSS JOIN now
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (namespace, definition, minute) DO UPDATE SET first_attempts = b.first_attempts + excluded.first_attempts`,
};

const makeMinute = {
  name: 'make_budget_minute',
  text: 'INSERT INTO retry_budgets (namespace, definition, minute) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
};

// The transaction that holds this minute's row spends the budget.
const lockMinute = {
  name: 'lock_budget_minute',
  text: 'SELECT FROM retry_budgets WHERE namespace = $1 AND definition = $2 AND minute = $3 FOR UPDATE',
};

// A separate statement: retries that other transactions counted before us are younger than the snapshot of the lock.
const readMinutes = {
  name: 'read_budget_minutes',
  text: `
SELECT minute, first_attempts, retries, waiting FROM retry_budgets
WHERE namespace = $1 AND definition = $2 AND minute BETWEEN $3::bigint - 1 AND $3::bigint + ${MAX_MINUTES_AHEAD}`,
  row: { minute: 'int8', first_attempts: 'int4', retries: 'int4', waiting: 'int4' },
} satisfies Statement;

const spent = { minute: 'bigint', retries: 'int', waiting: 'int' };

const spendMany = {
  name: 'spend_retry_budget',
  text: `
INSERT INTO retry_budgets AS b (namespace, definition, minute, retries, waiting)
SELECT $1, $2, minute, retries, waiting FROM ${inputTable(spent, 'i', 3)} ORDER BY minute
ON CONFLICT (namespace, definition, minute) DO UPDATE
SET retries = b.retries + excluded.retries, waiting = b.waiting + excluded.waiting`,
};

/** In the transaction that stores these jobs, after them: counts the jobs of definitions with a retry budget. */
export async function countFirstAttempts(session: Session, jobs: readonly NewJob[]): Promise<void> {
  const counts = new Map<string, { laneId: number; minute: number; jobs: number }>();
  for (const { laneId, hasRetryBudget, runTimeUs = 0 } of jobs) {
    if (!hasRetryBudget) continue;
    const minute = minuteOf(runTimeUs);
    const key = `${laneId}/${minute}`;
    counts.set(key, { laneId, minute, jobs: (counts.get(key)?.jobs ?? 0) + 1 });
  }
  if (counts.size === 0) return;
  const rows = [...counts.values()];
  await session.run(countMany, [
    rows.map((row) => row.laneId),
    rows.map((row) => row.minute),
    rows.map((row) => row.jobs),
  ]);
}

function minuteCounts({
  minute,
  first_attempts: firstAttempts,
  retries,
  waiting,
}: RowOf<typeof readMinutes>): MinuteCounts {
  return { minute, firstAttempts, retries, waiting };
}

/**
 * Locks the minute of their one definition. For each, in order: undefined if it may begin, otherwise when to ask again.
 */
async function spend(session: Session, asking: readonly BudgetOf[], minute: number): Promise<(number | undefined)[]> {
  const { namespace, definition } = asking[0] as BudgetOf;
  await session.run(makeMinute, [namespace, definition, minute]);
  await session.run(lockMinute, [namespace, definition, minute]);
  const rows = await session.run(readMinutes, [namespace, definition, minute]);
  const grants = grantRetries(rows.map(minuteCounts), asking, minute);
  await session.run(spendMany, [
    namespace,
    definition,
    grants.spent.map((one) => one.minute),
    grants.spent.map((one) => one.retries),
    grants.spent.map((one) => one.waiting),
  ]);
  return [...grants.minutes];
}

/**
 * Within the transaction that holds the jobs: delays retries beyond their budgets. One definition after the other, in
 * the order of their names.
 */
export async function keepBudgets(session: Session, changes: readonly Change[], nowUs: number): Promise<Change[]> {
  const groups = Map.groupBy(
    changes.filter(asksForRetry),
    ({ retryBudget: { namespace, definition } }) => `${namespace}/${definition}`,
  );
  if (groups.size === 0) return [...changes];
  const later = new Map<Change, number>();
  for (const key of [...groups.keys()].sort()) {
    const group = groups.get(key) ?? [];
    const minutes = await spend(
      session,
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
