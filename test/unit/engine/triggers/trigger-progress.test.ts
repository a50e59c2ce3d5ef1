/** Pages of what a trigger waits for. */
import { expect, it } from 'vitest';
import type { Condition } from '../../../../server/domain/triggers/condition.ts';
import { TriggerProgress } from '../../../../server/engine/triggers/trigger-progress.ts';

const cause = (number: number): Condition => ({
  kind: 'CAUSE',
  cause: {
    source: 'JOB',
    name: `${number}`.padEnd(63, 'x'),
    states: ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED'],
    filter: '',
    key: 'cause.job_id',
  },
});

it('a page ends before it is too large to be sent, and the next one continues', async () => {
  const keys = Array.from({ length: 500 }, (_, i) => String(i).padStart(3, '0'));
  const readProgress = async (_id: string, after: string | undefined, limit: number) =>
    keys
      .filter((key) => after === undefined || key > after)
      .slice(0, limit)
      .map((key) => ({ key, number: 0, timeUs: 1, count: 1, expireUs: 1e15 }));
  const progress = new TriggerProgress({ triggers: { readProgress } } as never, { nowUs: () => 2 });
  const condition = { kind: 'ALL_OF', conditions: Array.from({ length: 98 }, (_, i) => cause(i)) };
  const trigger = { scheduleId: 'id', trigger: { condition } } as never;
  const found: string[] = [];
  let pages = 0;
  for (let after: string | undefined, isMore = true; isMore; isMore = after !== undefined, pages++) {
    const page = await progress.explain(trigger, after, 1_000);
    expect(Buffer.byteLength(JSON.stringify(page.progress))).toBeLessThan(3 << 20);
    found.push(...page.progress.map(({ key }) => key));
    after = page.lastKey;
  }
  expect(found).toEqual(keys);
  expect(pages).toBeGreaterThan(1);
});
