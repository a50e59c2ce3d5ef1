/** Changes of queues. Each locks the queue's row first, then its lanes, so that changes and new lanes take turns. */
import { isDeepStrictEqual } from 'node:util';
import { alignLimited } from '../dispatch/limited-lanes.ts';
import type { QueueChange, QueueName, QueueSettings, QueueUpdate, StoredQueue } from '../ports/queues.ts';
import type { Store } from '../ports/store.ts';
import { countQueue, findQueue, readQueue } from './read-queues.ts';

type Work = (tx: Store, before: StoredQueue) => Promise<QueueChange | readonly number[]>;

async function done(tx: Store, queue: QueueName, reopened: readonly number[] = []): Promise<QueueChange> {
  const now = await readQueue(tx, queue);
  return now ? { kind: 'done', queue: now, reopened } : { kind: 'missing' };
}

/** Changes an existing queue. `work` returns the lanes it opened, or a refusal before it has changed anything. */
function change(store: Store, queue: QueueName, work: Work): Promise<QueueChange> {
  return store.together(async (tx) => {
    if (!(await findQueue(tx, queue))) return { kind: 'missing' };
    const locked = await tx.queues.lock(queue);
    if (!locked) return { kind: 'missing' };
    const result = await work(tx, locked);
    return 'kind' in result ? result : done(tx, queue, result);
  });
}

function settingsOf(queue: StoredQueue): QueueSettings {
  const { description, maxConcurrency, rateLimit, fairnessWeights, maxBacklog, maxBacklogAgeMs } = queue;
  return { description, maxConcurrency, rateLimit, fairnessWeights, maxBacklog, maxBacklogAgeMs };
}

/** Writes the settings that differ. Realigns the lanes if the queue got its first limit or lost its last. */
async function changeSettings(
  tx: Store,
  stored: StoredQueue,
  changed: Partial<QueueSettings>,
  isNew = false,
): Promise<void> {
  const before = settingsOf(stored);
  const after = { ...before, ...changed };
  if (isDeepStrictEqual(after, before)) return;
  await tx.queues.writeSettings(stored, after, isNew);
  const hasLimit = (settings: QueueSettings) =>
    settings.maxConcurrency !== undefined || settings.rateLimit !== undefined;
  if (hasLimit(after) !== hasLimit(before)) await alignLimited(tx, await tx.queues.readLanes(stored));
}

export function createQueue(store: Store, queue: QueueName, settings: Partial<QueueSettings>): Promise<QueueChange> {
  return store.together(async (tx) => {
    if (await findQueue(tx, queue)) return { kind: 'exists' };
    const isNew = await tx.queues.insert(queue);
    const locked = await tx.queues.lock(queue);
    if (!isNew || !locked) return { kind: 'exists' };
    await changeSettings(tx, locked, settings, true);
    return done(tx, queue);
  });
}

export function updateQueue(store: Store, queue: QueueName, update: QueueUpdate): Promise<QueueChange> {
  return change(store, queue, async (tx, before) => {
    const { etag } = before;
    if (update.etag !== '' && update.etag !== etag) return { kind: 'stale', etag };
    await changeSettings(tx, before, update.settings);
    return [];
  });
}

export function pauseQueue(store: Store, queue: QueueName, reason: string): Promise<QueueChange> {
  return change(store, queue, async (tx) => {
    await tx.queues.markPaused(queue, reason);
    await tx.gateLanes(await tx.queues.readLanes(queue), 'queuePaused', true);
    return [];
  });
}

export function resumeQueue(store: Store, queue: QueueName): Promise<QueueChange> {
  return change(store, queue, async (tx) => {
    await tx.queues.markResumed(queue);
    return tx.gateLanes(await tx.queues.readLanes(queue), 'queuePaused', false);
  });
}

export function deleteQueue(store: Store, queue: QueueName): Promise<QueueChange> {
  return change(store, queue, async (tx, before) => {
    const counts = Object.values(await countQueue(tx, queue));
    const openJobs = counts.reduce((sum, jobs) => sum + jobs, 0);
    if (openJobs > 0) return { kind: 'notEmpty', openJobs };
    if (before.paused) await tx.gateLanes(await tx.queues.readLanes(queue), 'queuePaused', false);
    await changeSettings(tx, before, { maxConcurrency: undefined, rateLimit: undefined });
    await tx.queues.markDeleted(queue);
    return { kind: 'deleted' };
  });
}
