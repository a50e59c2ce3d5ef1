/** Properties of a retry budget for any requests, and of the queue of waiting retries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowedIn,
  grantRetries,
  MAX_MINUTES_AHEAD,
  type MinuteCounts,
} from '../../../server/domain/retries/retry-budget.ts';
import type { RetryBudget } from '../../../server/domain/retries/retry-policy.ts';

const budget: fc.Arbitrary<RetryBudget> = fc.record({
  ratio: fc.oneof(fc.constantFrom(0, 0.1, 0.2, 0.5, 1, 10), fc.double({ min: 0, max: 10, noNaN: true })),
  minPerMinute: fc.integer({ min: 1, max: 20 }),
});

const MINUTE = 29_916_667;

/** The table of one definition, as in the store. */
class Table {
  readonly rows = new Map<number, MinuteCounts>();

  add(more: MinuteCounts): void {
    const before = this.of(more.minute);
    this.rows.set(more.minute, {
      minute: more.minute,
      firstAttempts: before.firstAttempts + more.firstAttempts,
      retries: before.retries + more.retries,
      waiting: before.waiting + more.waiting,
    });
  }

  of(minute: number): MinuteCounts {
    return this.rows.get(minute) ?? { minute, firstAttempts: 0, retries: 0, waiting: 0 };
  }

  ask(asking: readonly RetryBudget[], minute: number): readonly (number | undefined)[] {
    const { minutes, spent } = grantRetries([...this.rows.values()], asking, minute);
    for (const more of spent) this.add(more);
    return minutes;
  }
}

const first = (minute: number, firstAttempts: number) => ({ minute, firstAttempts, retries: 0, waiting: 0 });

describe('a retry budget', () => {
  it('is never exceeded in any minute, in however many parts it is requested', () => {
    const asks = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 2 }), jobs: fc.nat(200), retries: fc.nat(40) }),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(budget, asks, (given, list) => {
        const table = new Table();
        let minute = MINUTE;
        for (const { after, jobs, retries } of list) {
          minute += after;
          table.add(first(minute, jobs));
          table.ask(Array(retries).fill(given), minute);
          const allowed = allowedIn(given, table.of(minute).firstAttempts, table.of(minute - 1).firstAttempts);
          expect(table.of(minute).retries).toBeLessThanOrEqual(allowed);
        }
      }),
    );
  });

  it('is used up before any retry waits, and serves retries in the order of their requests', () => {
    fc.assert(
      fc.property(budget, fc.nat(100), fc.nat(300), (given, jobs, retries) => {
        const table = new Table();
        table.add(first(MINUTE, jobs));
        const minutes = table.ask(Array(retries).fill(given), MINUTE);
        const granted = minutes.filter((minute) => minute === undefined).length;
        expect(granted).toBe(Math.min(retries, allowedIn(given, jobs, 0)));
        const waits = minutes.slice(granted) as number[];
        expect(waits).toEqual([...waits].sort((a, b) => a - b));
        for (const minute of waits) {
          expect(minute).toBeGreaterThan(MINUTE);
          expect(minute).toBeLessThanOrEqual(MINUTE + MAX_MINUTES_AHEAD);
        }
      }),
    );
  });

  it('lets every retry begin eventually, at no less than the minimum rate per minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 600 }), (minPerMinute, retries) => {
        const given = { ratio: 0, minPerMinute };
        const table = new Table();
        let due = new Map([[MINUTE, retries]]);
        let minute = MINUTE;
        for (; due.size > 0; minute++) {
          const next = new Map([...due].filter(([when]) => when !== minute));
          for (const when of table.ask(Array(due.get(minute) ?? 0).fill(given), minute))
            if (when !== undefined) next.set(when, (next.get(when) ?? 0) + 1);
          due = next;
        }
        expect(minute - MINUTE).toBe(Math.ceil(retries / minPerMinute));
      }),
    );
  });

  it('uses the first attempts of this minute or the previous one, whichever are more', () => {
    expect(allowedIn({ ratio: 0.2, minPerMinute: 1 }, 50, 10)).toBe(10);
    expect(allowedIn({ ratio: 0.2, minPerMinute: 1 }, 10, 50)).toBe(10);
    expect(allowedIn({ ratio: 0.29, minPerMinute: 1 }, 100, 0)).toBe(29);
    expect(allowedIn({ ratio: 0, minPerMinute: 10 }, 1_000, 1_000)).toBe(10);
  });
});
