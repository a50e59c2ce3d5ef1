/** Jobs that wait for signals, for store tests, and one call of each of their statements. */
import { type KeyFacts, takeKept } from '../../../server/domain/signals/signal-queue.ts';
import { decideBeginWait, decideEndWait } from '../../../server/domain/signals/wait.ts';
import type { Delivery } from '../../../server/engine/ports/signals.ts';
import type { StoreContext } from './store-context.ts';
import { makeLane, payload, submitMany } from './store-fixtures.ts';

/** The database's clock is that of this machine. */
export const presentUs = () => Date.now() * 1000;

export const signalPayload = { ...payload('paid'), metadata: { a: 'b' } };

/** The given number of jobs that wait for the signal. Returns their ids, in the order in which they began to wait. */
export async function waitMany(context: StoreContext, signalKeyId: string, count: number): Promise<string[]> {
  const laneId = await makeLane(context);
  const jobIds = await submitMany(context, laneId, count);
  await context.store.together(async (store) => {
    await store.change({ by: 'workflows', laneIds: [laneId], limit: count }, decideBeginWait);
    await store.waits.lockKeys([signalKeyId]);
    await store.waits.insertSignalWaits(jobIds.map((jobId) => ({ jobId, signalKeyId, name: 'paid', key: 'k' })));
  });
  return jobIds;
}

export async function keepSignal(
  context: StoreContext,
  signalKeyId: string,
  keepMs = 60_000,
  nowUs = presentUs(),
): Promise<number> {
  const signal = { namespace: 'default', signalKeyId, payload: signalPayload, keepMs };
  return context.store.together(async ({ waits }) => {
    await waits.lockKeys([signalKeyId]);
    return waits.insertSignal(signal, { kind: 'KEEP' }, nowUs);
  });
}

/** A signal for all waiting jobs without a promised one. */
export async function deliverSignal(context: StoreContext, signalKeyId: string): Promise<number> {
  const signal = { namespace: 'default', signalKeyId, payload: signalPayload, keepMs: 60_000 };
  return context.store.together(async ({ waits }) => {
    await waits.lockKeys([signalKeyId]);
    const { promisedUpTo: after, lastWait } = await waits.readKey(signalKeyId, presentUs());
    return waits.insertSignal(signal, { kind: 'DELIVER', after, upTo: lastWait ?? 0 }, presentUs());
  });
}

export function readKey(context: StoreContext, signalKeyId: string): Promise<KeyFacts> {
  return context.store.together(async ({ waits }) => waits.readKey(signalKeyId, presentUs()));
}

/** Ids of the jobs that the next page ends. */
export function endPage(context: StoreContext, rowId: number, limit: number): Promise<string[]> {
  return context.store.together(async (store) => {
    const delivery = (await store.waits.lockDelivery(rowId, presentUs())) as Delivery;
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
  const signalKeyId = crypto.randomUUID();
  const jobIds = await waitMany(context, signalKeyId, 3);
  await store.waits.read(jobIds);
  await store.waits.readKeySources(jobIds);
  const rowId = await deliverSignal(context, signalKeyId);
  await store.waits.findDeliveries(0, 10);
  await endPage(context, rowId, 2);
  await store.together(async ({ waits }) => {
    await waits.redirect(rowId, { kind: 'KEEP' });
    takeKept([{ signalKeyId }], await waits.takeKept([signalKeyId], presentUs()));
    await waits.drop(rowId);
  });
}
