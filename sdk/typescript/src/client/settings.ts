/** Changes of queues and namespaces, as the messages that the server takes: what is left out stays as it is. */
import { durationFromMs } from '../duration.ts';

export interface QueueChange {
  /** What it is for, for people. At most 1,024 characters. */
  readonly description?: string;
  /** Jobs of it that may be assigned or running at once; 0: no limit. */
  readonly maxConcurrency?: number;
  /** Of the queue as it was read: a change by somebody else since then is not overwritten. Default: whatever it is. */
  readonly etag?: string;
}

export interface NamespaceChange {
  /**
   * How long ended jobs are kept, in milliseconds, where their definition says nothing of it. A shorter one deletes,
   * within minutes, the ended jobs that are older. `null`: the default, 7 days.
   */
  readonly retentionMs?: number | null;
}

export function queueChange(namespace: string, name: string, { etag = '', ...change }: QueueChange) {
  const paths: string[] = [];
  if (change.description !== undefined) paths.push('description');
  if (change.maxConcurrency !== undefined) paths.push('max_concurrency');
  return { queue: { namespace, name, etag, ...change }, updateMask: { paths } };
}

export function namespaceChange(name: string, { retentionMs }: NamespaceChange) {
  const retention = typeof retentionMs === 'number' ? { retention: durationFromMs(retentionMs) } : {};
  const paths = retentionMs === undefined ? [] : ['retention'];
  return { namespace: { name, ...retention }, updateMask: { paths } };
}
