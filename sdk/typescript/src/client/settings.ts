/** Converts changes of queues and namespaces to messages of the contract. */
import { durationFromMs } from '../duration.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions, within } from '../options/known-options.ts';
import type { RateLimitInit } from './limits.ts';
import { rateLimit } from './limits.ts';

/** Changes of a queue. Omitted fields stay unchanged. */
export interface QueueChange {
  /** Purpose of the queue, shown to operators. At most 1,024 characters. */
  readonly description?: string;
  /** Jobs of the queue that workers may hold at once, in the whole deployment; 0: no limit. At most 100,000. */
  readonly maxConcurrency?: number;
  /** Attempts of its jobs that may be assigned per period. `null`: no limit. */
  readonly rateLimit?: RateLimitInit | null;
  /**
   * Weights of the fairness keys; the map replaces all of them, and other keys have weight 1. While both wait, a key of
   * weight 2 starts twice as many jobs as one of weight 1. From 0.01 to 100; at most 500 keys of at most 256
   * characters.
   */
  readonly fairnessWeights?: Readonly<Record<string, number>>;
  /**
   * Submissions are refused with RESOURCE_EXHAUSTED (QUEUE_FULL) when this many jobs are ready. Jobs with a priority
   * below 0 are refused from 80 % of it, above 0 from 120 %. 0: no bound.
   */
  readonly maxBacklog?: number;
  /**
   * The same bound for the waiting time of the oldest ready job, in milliseconds; from 1 s to 30 days. `null`: no
   * bound.
   */
  readonly maxBacklogAgeMs?: number | null;
  /** Etag of the queue as read. If the queue has changed since, the call fails. Default: no check. */
  readonly etag?: string;
}

const queueOptions: Known<QueueChange> = {
  description: true,
  maxConcurrency: true,
  rateLimit: true,
  fairnessWeights: true,
  maxBacklog: true,
  maxBacklogAgeMs: true,
  etag: true,
};

/** Changes of a namespace. Omitted fields stay unchanged. */
export interface NamespaceChange {
  /**
   * How long ended jobs are kept, in milliseconds, unless their definition sets it. Lowering it deletes older ended
   * jobs within minutes. `null`: the default, 7 days.
   */
  readonly retentionMs?: number | null;
}

const namespaceOptions: Known<NamespaceChange> = { retentionMs: true };

/**
 * @param call The call, for errors.
 * @throws TypeError when a field is unknown.
 */
export function queueChange(call: string, namespace: string, name: string, change: QueueChange) {
  refuseUnknownOptions(call, change, queueOptions);
  const { etag = '', rateLimit: rate, maxBacklog, maxBacklogAgeMs, ...plain } = change;
  const converted = {
    ...(rate ? { rateLimit: rateLimit(rate, within(call, 'rateLimit')) } : {}),
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

/** @throws TypeError when a field is unknown. */
export function namespaceChange(name: string, change: NamespaceChange) {
  refuseUnknownOptions('updateNamespace', change, namespaceOptions);
  const { retentionMs } = change;
  const retention = typeof retentionMs === 'number' ? { retention: durationFromMs(retentionMs) } : {};
  const paths = retentionMs === undefined ? [] : ['retention'];
  return { namespace: { name, ...retention }, updateMask: { paths } };
}
