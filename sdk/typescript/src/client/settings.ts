/** Changes of queues and namespaces, as the messages that the server takes: what is left out stays as it is. */
import { durationFromMs } from '../duration.ts';
import type { RateLimitInit } from './limits.ts';
import { rateLimit } from './limits.ts';

/** What is changed of a queue; what is left out stays. */
export interface QueueChange {
  /** What it is for, for people. At most 1,024 characters. */
  readonly description?: string;
  /** Jobs of it that workers may hold at once, on the whole deployment; 0: no limit. At most 100,000. */
  readonly maxConcurrency?: number;
  /** Attempts of its jobs that may be assigned in a time. `null`: no limit. */
  readonly rateLimit?: RateLimitInit | null;
  /**
   * Shares of the fairness keys of its jobs, all of them: what is not here has 1. A key of weight 2 gets twice as many jobs
   * started as one of weight 1 while both wait. From 0.01 to 100; at most 500 keys of at most 256 characters.
   */
  readonly fairnessWeights?: Readonly<Record<string, number>>;
  /**
   * Ready jobs from which on submissions are refused with RESOURCE_EXHAUSTED (QUEUE_FULL); those of a priority below 0
   * from 80 % of it on, above 0 from 120 % on. 0: no bound.
   */
  readonly maxBacklog?: number;
  /** How long the oldest ready job may have waited, in milliseconds, likewise; from 1 s to 30 days. `null`: no bound. */
  readonly maxBacklogAgeMs?: number | null;
  /** Of the queue as it was read: a change by somebody else since then is not overwritten. Default: whatever it is. */
  readonly etag?: string;
}

/** What is changed of a namespace; what is left out stays. */
export interface NamespaceChange {
  /**
   * How long ended jobs are kept, in milliseconds, where their definition says nothing of it. A shorter one deletes,
   * within minutes, the ended jobs that are older. `null`: the default, 7 days.
   */
  readonly retentionMs?: number | null;
}

export function queueChange(namespace: string, name: string, change: QueueChange) {
  const { etag = '', rateLimit: rate, maxBacklog, maxBacklogAgeMs, ...plain } = change;
  const converted = {
    ...(rate ? { rateLimit: rateLimit(rate) } : {}),
    ...(maxBacklog === undefined ? {} : { maxBacklog: BigInt(maxBacklog) }),
    ...(typeof maxBacklogAgeMs === 'number' ? { maxBacklogAge: durationFromMs(maxBacklogAgeMs) } : {}),
  };
  const paths: string[] = [];
  if (change.description !== undefined) paths.push('description');
  if (change.maxConcurrency !== undefined) paths.push('max_concurrency');
  if (rate !== undefined) paths.push('rate_limit');
  if (change.fairnessWeights !== undefined) paths.push('fairness_weights');
  if (maxBacklog !== undefined) paths.push('max_backlog');
  if (maxBacklogAgeMs !== undefined) paths.push('max_backlog_age');
  return { queue: { namespace, name, etag, ...plain, ...converted }, updateMask: { paths } };
}

export function namespaceChange(name: string, { retentionMs }: NamespaceChange) {
  const retention = typeof retentionMs === 'number' ? { retention: durationFromMs(retentionMs) } : {};
  const paths = retentionMs === undefined ? [] : ['retention'];
  return { namespace: { name, ...retention }, updateMask: { paths } };
}
