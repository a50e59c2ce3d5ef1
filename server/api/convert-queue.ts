/** Queues between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import type { Queue, QueueName, QueueSettings } from '../engine/queues.ts';
import { QueueSchema, type Queue as WireQueue } from '../gen/muster/v1/queue_pb.ts';
import { checkName, checkProse, checkText } from './checks.ts';
import { maxConcurrencyFrom, rateLimitFrom, rateLimitTo, weightsFrom } from './convert-limits.ts';
import { timestampTo } from './convert-payload.ts';
import { maskedFields } from './update-mask.ts';
import type { Violations } from './violations.ts';

const fields = {
  changeable: ['description', 'max_concurrency', 'rate_limit', 'fairness_weights'],
  fixed: ['namespace', 'name', 'paused', 'create_time', 'etag', 'counts', 'pause_reason'],
};

export function queueTo(queue: Queue): WireQueue {
  const { namespace, name, paused, pauseReason, description, createTimeUs, etag, counts } = queue;
  return create(QueueSchema, {
    namespace,
    name,
    paused,
    pauseReason,
    description,
    etag,
    maxConcurrency: queue.maxConcurrency ?? 0,
    ...(queue.rateLimit ? { rateLimit: rateLimitTo(queue.rateLimit) } : {}),
    fairnessWeights: { ...queue.fairnessWeights },
    createTime: timestampTo(createTimeUs),
    counts: {
      blocked: BigInt(counts.BLOCKED ?? 0),
      scheduled: BigInt(counts.SCHEDULED ?? 0),
      ready: BigInt(counts.READY ?? 0),
      paused: BigInt(counts.PAUSED ?? 0),
      held: BigInt(counts.ASSIGNED ?? 0),
      waiting: BigInt(counts.WAITING ?? 0),
    },
  });
}

/** Which queue a message is of. Adds what is wrong with it, too. */
export function queueFrom(wire: WireQueue | undefined, violations: Violations): WireQueue & QueueName {
  violations.check(wire !== undefined, 'queue', 'is missing');
  const queue = wire ?? create(QueueSchema, { name: 'missing' });
  const namespace = queue.namespace || 'default';
  checkName(namespace, 'queue.namespace', violations);
  checkName(queue.name, 'queue.name', violations);
  checkProse(queue.description, 1_024, 'queue.description', violations);
  checkText(queue.pauseReason, 256, 'queue.pause_reason', violations);
  checkText(queue.etag, 64, 'queue.etag', violations);
  return { ...queue, namespace };
}

/** All that the message says of the queue. */
export function settingsFrom(queue: WireQueue, violations: Violations): QueueSettings {
  return {
    description: queue.description,
    maxConcurrency: maxConcurrencyFrom(queue.maxConcurrency, 'queue.max_concurrency', violations),
    rateLimit: rateLimitFrom(queue.rateLimit, 'queue.rate_limit', violations),
    fairnessWeights: weightsFrom(queue.fairnessWeights, 'queue.fairness_weights', violations),
  };
}

/** What an update changes. */
export function changedSettings(
  queue: WireQueue,
  mask: FieldMask | undefined,
  violations: Violations,
): Partial<QueueSettings> {
  const isSet: Record<string, boolean> = {
    description: queue.description !== '',
    max_concurrency: queue.maxConcurrency !== 0,
    rate_limit: queue.rateLimit !== undefined,
    fairness_weights: Object.keys(queue.fairnessWeights).length > 0,
  };
  const changed = maskedFields(mask, fields, (field) => isSet[field] === true, violations);
  const { description, maxConcurrency, rateLimit, fairnessWeights } = settingsFrom(queue, violations);
  return {
    ...(changed.has('description') ? { description } : {}),
    ...(changed.has('max_concurrency') ? { maxConcurrency } : {}),
    ...(changed.has('rate_limit') ? { rateLimit } : {}),
    ...(changed.has('fairness_weights') ? { fairnessWeights } : {}),
  };
}
