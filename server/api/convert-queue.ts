/** Queues between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import type { BacklogBounds } from '../domain/backlog.ts';
import type { Queue, QueueName, QueueUpdate } from '../engine/queues.ts';
import { QueueSchema, type Queue as WireQueue } from '../gen/muster/v1/queue_pb.ts';
import { checkName, checkProse, checkText, durationMs, THIRTY_DAYS_MS } from './checks.ts';
import { durationTo, timestampTo } from './convert-payload.ts';
import { notImplemented } from './status.ts';
import { maskedFields } from './update-mask.ts';
import type { Violations } from './violations.ts';

const MAX_BACKLOG = 1_000_000_000n;

const fields = {
  changeable: ['description', 'max_concurrency', 'max_backlog', 'max_backlog_age'],
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
  maxBacklog,
  maxBacklogAgeMs,
}: Queue): WireQueue {
  return create(QueueSchema, {
    namespace,
    name,
    paused,
    pauseReason,
    description,
    etag,
    createTime: timestampTo(createTimeUs),
    maxBacklog: BigInt(maxBacklog),
    ...(maxBacklogAgeMs === null ? {} : { maxBacklogAge: durationTo(maxBacklogAgeMs) }),
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

export type GivenQueue = WireQueue & QueueName & { readonly bounds: BacklogBounds };

/** Which queue a message is of. Adds what is wrong with it, too. */
export function queueFrom(wire: WireQueue | undefined, violations: Violations): GivenQueue {
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
  return { ...queue, namespace, bounds: boundsFrom(queue, violations) };
}

function boundsFrom({ maxBacklog, maxBacklogAge }: WireQueue, violations: Violations): BacklogBounds {
  const isInRange = maxBacklog >= 0n && maxBacklog <= MAX_BACKLOG;
  violations.check(
    isInRange,
    'queue.max_backlog',
    `is ${maxBacklog}; must be from 0, which is no bound, to ${MAX_BACKLOG}`,
  );
  const ageMs = durationMs(maxBacklogAge, 1_000, THIRTY_DAYS_MS, 'queue.max_backlog_age', violations);
  return { maxBacklog: Number(maxBacklog), maxBacklogAgeMs: ageMs ?? null };
}

/** Refuses what this release can't honour: better than taking it and doing nothing. */
export function refuseLimits({ maxConcurrency }: WireQueue): void {
  if (maxConcurrency > 0) throw notImplemented('queue.max_concurrency: limits of concurrency');
}

const setBy: Readonly<Record<string, (queue: WireQueue) => boolean>> = {
  description: ({ description }) => description !== '',
  max_concurrency: ({ maxConcurrency }) => maxConcurrency !== 0,
  max_backlog: ({ maxBacklog }) => maxBacklog !== 0n,
  max_backlog_age: ({ maxBacklogAge }) => maxBacklogAge !== undefined,
};

/** What an update changes; what stays is undefined. */
export function changeFrom(
  queue: GivenQueue,
  mask: FieldMask | undefined,
  violations: Violations,
): Omit<QueueUpdate, 'etag'> {
  const changed = maskedFields(mask, fields, (field) => setBy[field]?.(queue) ?? false, violations);
  const { maxBacklog, maxBacklogAgeMs } = queue.bounds;
  return {
    description: changed.has('description') ? queue.description : undefined,
    maxBacklog: changed.has('max_backlog') ? maxBacklog : undefined,
    maxBacklogAgeMs: changed.has('max_backlog_age') ? maxBacklogAgeMs : undefined,
  };
}
