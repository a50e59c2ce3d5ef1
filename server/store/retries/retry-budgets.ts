/** Counts of retry budgets: first attempts when jobs are submitted, retries when they are due. */
import { MAX_MINUTES_AHEAD, type MinuteCounts, minuteOf } from '../../domain/retries/retry-budget.ts';
import type { BudgetKey, BudgetMinute } from '../../engine/ports/breakers.ts';
import type { NewJob } from '../../engine/ports/submissions.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';

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

const spentColumns = { minute: 'bigint', retries: 'int', waiting: 'int' };

const spendMany = {
  name: 'spend_retry_budget',
  text: `
INSERT INTO retry_budgets AS b (namespace, definition, minute, retries, waiting)
SELECT $1, $2, minute, retries, waiting FROM ${inputTable(spentColumns, 'i', 3)} ORDER BY minute
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

const minuteParameters = ({ namespace, definition, minute }: BudgetMinute) => [namespace, definition, minute];

export async function makeBudgetMinute(session: Session, key: BudgetMinute): Promise<void> {
  await session.run(makeMinute, minuteParameters(key));
}

export async function lockBudgetMinute(session: Session, key: BudgetMinute): Promise<void> {
  await session.run(lockMinute, minuteParameters(key));
}

export async function readBudgetMinutes(session: Session, key: BudgetMinute): Promise<MinuteCounts[]> {
  const rows = await session.run(readMinutes, minuteParameters(key));
  return rows.map(({ first_attempts: firstAttempts, ...counts }) => ({ ...counts, firstAttempts }));
}

export async function spendBudget(
  session: Session,
  { namespace, definition }: BudgetKey,
  spent: readonly MinuteCounts[],
): Promise<void> {
  await session.run(spendMany, [
    namespace,
    definition,
    spent.map((one) => one.minute),
    spent.map((one) => one.retries),
    spent.map((one) => one.waiting),
  ]);
}
