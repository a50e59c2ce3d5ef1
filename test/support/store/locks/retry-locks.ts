/** Operations on circuit breakers and retry budgets. */
import { continueAs } from '../../../../server/domain/jobs/decide.ts';
import { closed, countFailures } from '../../../../server/domain/retries/circuit-breaker.ts';
import { minuteOf } from '../../../../server/domain/retries/retry-budget.ts';
import { FAR_US } from '../far.ts';
import { makeCall, makeJob } from '../store-fixtures.ts';
import { type Operation, turned } from './locked-rows.ts';

const breakers = ['a', 'b'].map((name) => ({ namespace: 'default', name }));
const budget = { ratio: 0, minPerMinute: 3 };

export const retryLocks: Readonly<Record<string, Operation>> = {
  'open and close breakers': async (store, isReversed) => {
    const keys = turned(breakers, isReversed);
    const opening = { name: '', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
    await store.changeBreakers(keys, (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
    await store.changeBreakers(keys, closed);
  },
  'probe breakers': async (store, isReversed, { laneIds, sessionIds }) => {
    const opening = { name: '', failureThreshold: 1, windowMs: 1_000, openDurationMs: -1, types: [] };
    for (const key of turned(breakers, isReversed)) {
      await store.changeBreakers([key], (now, nowUs) => countFailures(now, 1, opening, nowUs), true);
      const permits = turned(sessionIds, isReversed).map((sessionId) => ({ sessionId, creditId: 9, prefetch: false }));
      const lanes = turned(laneIds, isReversed).map((id) => ({ laneId: id, cursor: 0 }));
      await store.probeBreaker(key, { permits, lanes, suspects: isReversed }, FAR_US);
    }
    await store.alignGatedLanes();
  },
  'submit to retry budgets': async (store, isReversed, { laneIds }) => {
    const nowUs = await store.nowUs();
    const jobs = turned(laneIds, isReversed).flatMap((id) =>
      turned([0, 1, 2], isReversed).map((minute) =>
        makeJob(id, { hasRetryBudget: true, state: 'SCHEDULED', runTimeUs: nowUs + minute * 60_000_000 }),
      ),
    );
    await store.submit([makeCall(jobs)]);
  },
  'spend retry budgets': (store, isReversed, { laneId }) =>
    store.change({ by: 'due', limit: isReversed ? 9 : 5, latestUs: FAR_US }, (run, nowUs) => {
      const definition = run.laneId === laneId ? 'one' : 'two';
      const retryBudget = { ...budget, namespace: 'default', definition, minute: minuteOf(nowUs) };
      return run.state === 'READY' ? { ...continueAs('promote', run, { state: 'READY' }), retryBudget } : undefined;
    }),
};
