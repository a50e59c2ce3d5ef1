/** Keys of submission rules are deleted with their jobs; the key of a throttle is kept for its period. */
import { describe, expect, it } from 'vitest';
import { moveClock } from '../../../support/store/store-clock.ts';
import { sql, useStore } from '../../../support/store/store-context.ts';
import { claimMany, completionOf, makeLane, openWorker } from '../../../support/store/store-fixtures.ts';
import { debounced, ruledCall, throttled, unique } from '../../../support/store/store-rules.ts';

const DAY_MS = 86_400_000;

describe.each(['PostgreSQL 18', 'PGlite'] as const)('keys of submission rules on %s', (kind) => {
  const context = useStore(kind);

  async function clearAt(days: number): Promise<number[]> {
    await moveClock(context, days * DAY_MS);
    // The second round deletes the keys of jobs that the first round has deleted.
    for (let round = 0; round < 2; round++) while ((await context.store.clearExpired()).more);
    return (await sql(context, 'SELECT kind FROM submission_keys ORDER BY kind')).map((row) => row.kind);
  }

  it('are deleted with their jobs, and those of a throttle after its period', async () => {
    const laneId = await makeLane(context, { definition: 'ruled' });
    await sql(context, `INSERT INTO retentions VALUES ('default', 'ruled', ${DAY_MS})`);
    const rules = [unique('u'), debounced('d'), throttled('t', { periodMs: 9 * DAY_MS })];
    await context.store.submit([ruledCall(laneId, rules)]);
    expect(await clearAt(8)).toEqual([1, 2, 3]);
    await moveClock(context, 0);
    const { sessionId } = await openWorker(context);
    const claimed = await claimMany(context, laneId, sessionId, 3);
    await context.store.complete(claimed.map((job) => completionOf(job)));
    expect(await clearAt(0.9)).toEqual([1, 2, 3]);
    expect(await clearAt(8)).toEqual([3]);
    expect(await sql(context, 'SELECT job_id FROM jobs')).toEqual([]);
    expect(await clearAt(9.1)).toEqual([]);
  });
});
