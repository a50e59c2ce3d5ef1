/** Reads queues, and restores deleted ones that jobs were submitted to since. */
import type { Queue, QueueCounts, QueueName, QueuePage, StoredQueue } from '../ports/queues.ts';
import type { Store } from '../ports/store.ts';

/** Restores the deleted queue of this name, or those after `afterName`, if jobs were submitted to them since. */
async function revive(store: Store, namespace: string, afterName: string, name?: string): Promise<void> {
  const deleted = await store.queues.findDeleted(namespace, afterName, name);
  const counts = await store.queues.readCounts(
    namespace,
    deleted.map((queue) => queue.name),
  );
  const isThere = (queue: (typeof deleted)[number]) =>
    queue.hasYoungerJobs || Object.keys(counts.get(queue.name) ?? {}).length > 0;
  const names = deleted.filter(isThere).map((queue) => queue.name);
  if (names.length > 0) await store.queues.revive(namespace, names);
}

/** Restores a deleted queue that has got jobs since. */
export async function findQueue(store: Store, queue: QueueName): Promise<StoredQueue | undefined> {
  const found = await store.queues.find(queue);
  if (found !== 'deleted') return found;
  await revive(store, queue.namespace, '', queue.name);
  const again = await store.queues.find(queue);
  return again === 'deleted' ? undefined : again;
}

export async function countQueue(store: Store, { namespace, name }: QueueName): Promise<QueueCounts> {
  return (await store.queues.readCounts(namespace, [name])).get(name) ?? {};
}

export async function readQueue(store: Store, queue: QueueName): Promise<Queue | undefined> {
  const found = await findQueue(store, queue);
  return found && { ...found, counts: await countQueue(store, queue) };
}

export async function listQueues(
  store: Store,
  namespace: string,
  afterName: string,
  limit: number,
): Promise<QueuePage> {
  await revive(store, namespace, afterName);
  const { queues, hasMore } = await store.queues.readPage(namespace, afterName, limit);
  const counts = await store.queues.readCounts(
    namespace,
    queues.map((queue) => queue.name),
  );
  return { queues: queues.map((queue) => ({ ...queue, counts: counts.get(queue.name) ?? {} })), hasMore };
}
