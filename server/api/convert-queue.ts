/** Queues between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import type { Queue, QueueName } from '../engine/queues.ts';
import { QueueSchema, type Queue as WireQueue } from '../gen/muster/v1/queue_pb.ts';
import { checkName, checkProse, checkText } from './checks.ts';
import { timestampTo } from './convert-payload.ts';
import { notImplemented } from './status.ts';
import { maskedFields } from './update-mask.ts';
import type { Violations } from './violations.ts';

const fields = {
  changeable: ['description', 'max_concurrency'],
  fixed: ['namespace', 'name', 'paused', 'create_time', 'etag', 'counts', 'pause_reason'],
};

export function queueTo({
  namespace,
  name,
  paused,
  pauseReason,
  description,
  createTimeUs,
  etag,
  counts,
}: Queue): WireQueue {
  return create(QueueSchema, {
    namespace,
    name,
    paused,
    pauseReason,
    description,
    etag,
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
  const { maxConcurrency } = queue;
  violations.check(maxConcurrency >= 0, 'queue.max_concurrency', `is ${maxConcurrency}; must not be negative`);
  return { ...queue, namespace };
}

/** Refuses what this release can't honour: better than taking it and doing nothing. */
export function refuseLimits({ maxConcurrency }: WireQueue): void {
  if (maxConcurrency > 0) throw notImplemented('queue.max_concurrency: limits of concurrency');
}

/** The new description, or undefined where it stays. */
export function descriptionFrom(queue: WireQueue, mask: FieldMask | undefined, violations: Violations) {
  const isSet = (field: string) => (field === 'description' ? queue.description !== '' : queue.maxConcurrency !== 0);
  const changed = maskedFields(mask, fields, isSet, violations);
  return changed.has('description') ? queue.description : undefined;
}
