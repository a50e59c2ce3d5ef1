/** Calls everything that a store can do with queues, for tests of its statements. */
import type { Store } from '../../../server/engine/ports/store.ts';
import type { StoreContext } from './store-context.ts';
import { makeLane, submitMany } from './store-fixtures.ts';

export async function useQueues({ queues }: Store): Promise<void> {
  const queue = { namespace: 'default', name: `plan-${crypto.randomUUID()}` };
  await queues.create(queue, {});
  await queues.update(queue, { settings: { maxConcurrency: 9, maxBacklog: 5, maxBacklogAgeMs: 60_000 }, etag: '' });
  await queues.readBounded({ namespace: 'default', name: 'a' }, 10);
  await queues.readBacklog(queue, true);
  await queues.pause(queue, '');
  await queues.resume(queue);
  await queues.list('default', '', 1);
  await queues.delete(queue);
  await queues.foldCounts();
}

/** A queue that was deleted and has received a job since. */
export async function reviveQueue(tap: StoreContext): Promise<void> {
  const queue = { namespace: 'default', name: `anew-${crypto.randomUUID()}` };
  const laneId = await makeLane(tap, { queue: queue.name });
  await tap.store.queues.delete(queue);
  await submitMany(tap, laneId, 1);
  await tap.store.queues.read(queue);
}
