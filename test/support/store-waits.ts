/** Jobs that wait for signals, for store tests, and one call of each of their statements. */
import { type KeyFacts, takeKept } from '../../server/domain/signals/event-queue.ts';
import { decideBeginWait, decideEndWait } from '../../server/domain/signals/wait.ts';
import type { Delivery } from '../../server/engine/ports/signals.ts';
import type { StoreContext } from './store-context.ts';
import { makeLane, payload, submitMany } from './store-fixtures.ts';

export const eventPayload = { ...payload('paid'), metadata: { a: 'b' } };

/** The given number of jobs that wait for the signal. Returns their ids, in the order in which they began to wait. */
export async function waitMany(context: StoreContext, waitId: string, count: number): Promise<string[]> {
  const laneId = await makeLane(context);
  const jobIds = await submitMany(context, laneId, count);
  await context.store.together(async (store) => {
    await store.change({ by: 'workflows', laneIds: [laneId], limit: count }, decideBeginWait);
    await store.waits.lockKeys([waitId]);
    await store.waits.insertWaits(jobIds.map((jobId) => ({ jobId, waitId, name: 'paid', key: 'k' })));
  });
  return jobIds;
}

export async function keepEvent(context: StoreContext, waitId: string, keepMs = 60_000): Promise<number> {
  const event = { namespace: 'default', waitId, payload: eventPayload, keepMs };
  return context.store.together(async ({ waits }) => {
    await waits.lockKeys([waitId]);
    return waits.insertEvent(event, { kind: 'KEEP' });
  });
}

/** A signal for all waiting jobs without a promised one. */
export async function deliverEvent(context: StoreContext, waitId: string): Promise<number> {
  const event = { namespace: 'default', waitId, payload: eventPayload, keepMs: 60_000 };
  return context.store.together(async ({ waits }) => {
    await waits.lockKeys([waitId]);
    const { promisedUpTo: after, lastWait } = await waits.readKey(waitId);
    return waits.insertEvent(event, { kind: 'DELIVER', after, upTo: lastWait ?? 0 });
  });
}

export function readKey(context: StoreContext, waitId: string): Promise<KeyFacts> {
  return context.store.together(async ({ waits }) => waits.readKey(waitId));
}

/** Ids of the jobs that the next page ends. */
export function endPage(context: StoreContext, rowId: number, limit: number): Promise<string[]> {
  return context.store.together(async (store) => {
    const delivery = (await store.waits.lockDelivery(rowId)) as Delivery;
    const page = await store.waits.readWaiting(delivery, limit);
    const jobIds = page.map(({ jobId }) => jobId);
    await store.change({ by: 'jobs', namespace: 'default', jobIds }, (run) =>
      decideEndWait(run, { state: 'SUCCEEDED', result: delivery.payload }),
    );
    await store.waits.advance(rowId, page.at(-1)?.rowId ?? delivery.after, delivery.delivered + page.length);
    return jobIds;
  });
}

export async function useWaits(context: StoreContext): Promise<void> {
  const { store } = context;
  const waitId = crypto.randomUUID();
  const jobIds = await waitMany(context, waitId, 3);
  await store.waits.read(jobIds);
  await store.waits.readKeySources(jobIds);
  const rowId = await deliverEvent(context, waitId);
  await store.waits.findDeliveries(0, 10);
  await endPage(context, rowId, 2);
  await store.together(async ({ waits }) => {
    await waits.redirect(rowId, { kind: 'KEEP' });
    takeKept([{ waitId }], await waits.takeKept([waitId]));
    await waits.drop(rowId);
  });
}
