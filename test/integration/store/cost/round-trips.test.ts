/** Submissions, claims and completions keep their number of round trips, in the store or in the engine. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../../server/engine/ports/store.ts';
import type { SubmitCall } from '../../../../server/engine/ports/submissions.ts';
import { type CountedTrips, countRoundTrips } from '../../../support/databases/round-trips.ts';
import { createStore } from '../../../support/store/create-store.ts';
import { makeBatch } from '../../../support/store/store-batches.ts';
import { emptyTables, useStore } from '../../../support/store/store-context.ts';
import { demandingLane } from '../../../support/store/store-demands.ts';
import {
  assignedCall,
  bytes,
  claimOf,
  completionOf,
  holdOne,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  openWorker,
  submitMany,
} from '../../../support/store/store-fixtures.ts';
import { limitedLanes, limitsOf } from '../../../support/store/store-limits.ts';
import { ruledCall, unique } from '../../../support/store/store-rules.ts';

const context = useStore('PostgreSQL 18');
let trips: CountedTrips;
let store: Store;

beforeAll(() => {
  trips = countRoundTrips(context.database);
  store = createStore(trips.database);
});
beforeEach(() => emptyTables(context));

async function submitTrips(call: (laneId: number) => SubmitCall | Promise<SubmitCall>): Promise<number> {
  const ready = await call(await makeLane(context));
  return trips.of(() => store.submit([ready]));
}

describe('a submission takes', () => {
  const requestId = () => ({ requestId: crypto.randomUUID(), bodyHash: bytes('b') });

  it('1 round trip for plain jobs', async () => {
    expect(await submitTrips((laneId) => makeCall([makeJob(laneId), makeJob(laneId)]))).toBe(1);
  });

  it('1 round trip with a request id', async () => {
    expect(await submitTrips((laneId) => makeCall([makeJob(laneId)], requestId()))).toBe(1);
  });

  it('3 round trips with a fairness key', async () => {
    expect(await submitTrips((laneId) => makeCall([makeJob(laneId, { fairnessKey: 'a' })]))).toBe(3);
  });

  it('4 round trips with an idempotency key', async () => {
    const key = (): Partial<SubmitCall> => ({
      keys: [{ index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' }],
    });
    expect(await submitTrips((laneId) => makeCall([makeJob(laneId, { idempotencyKey: 'k' })], key()))).toBe(4);
  });

  it('3 round trips with a rule', async () => {
    expect(await submitTrips((laneId) => ruledCall(laneId, [unique('a')]))).toBe(3);
  });

  it('4 round trips into a batch', async () => {
    const batchJobId = await makeBatch(context);
    expect(await submitTrips((laneId) => ({ ...makeCall([makeJob(laneId)]), batchJobId }))).toBe(4);
  });

  it('2 round trips when it is assigned under limits', async () => {
    const { laneId } = await limitedLanes(context, { maxConcurrency: 5 });
    const { sessionId } = await openWorker(context);
    const limits = await limitsOf(context, laneId);
    const { call, permits } = assignedCall(laneId, sessionId);
    expect(await trips.of(() => store.submit([call], permits, limits))).toBe(2);
  });
});

describe('a claim takes', () => {
  async function ready(key: Parameters<typeof makeLane>[1] = {}): Promise<{ laneId: number; sessionId: string }> {
    const laneId = await makeLane(context, key);
    await submitMany(context, laneId, 3);
    return { laneId, sessionId: (await openWorker(context)).sessionId };
  }

  it('1 round trip for plain jobs', async () => {
    const { laneId, sessionId } = await ready();
    expect(await trips.of(() => store.claim(claimOf([laneId], sessionId, 3)))).toBe(1);
  });

  it('4 round trips for suspects', async () => {
    const { laneId, sessionId } = await ready({ suspect: true });
    expect(await trips.of(() => store.claim({ ...claimOf([laneId], sessionId, 3), suspects: true }))).toBe(4);
  });

  it('4 round trips under limits', async () => {
    const { laneId } = await limitedLanes(context, { maxConcurrency: 5 });
    await submitMany(context, laneId, 3);
    const { sessionId } = await openWorker(context);
    const limits = await limitsOf(context, laneId);
    expect(await trips.of(() => store.claim({ ...claimOf([laneId], sessionId, 3), limits }))).toBe(4);
  });

  it('5 round trips for jobs that take resources', async () => {
    const laneId = await demandingLane(context, { gpu: 1 });
    await submitMany(context, laneId, 3);
    const { sessionId } = await openWorker(context, { resources: { gpu: 2 } });
    expect(await trips.of(() => store.claim({ ...claimOf([laneId], sessionId, 3), needs: { gpu: 1 } }))).toBe(5);
  });
});

it('a completion takes 1 round trip', async () => {
  const held = await holdOne(context);
  expect(await trips.of(() => store.complete([completionOf(keyOf(held))]))).toBe(1);
});
