/** Converts queues between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { QueueSchema, type Queue as WireQueue } from '@muster-jobs/sdk/gen/muster/v1/queue_pb';
import type { BacklogBounds } from '../../domain/queues/backlog.ts';
import type { Queue, QueueName, QueueSettings } from '../../engine/ports/queues.ts';
import { checkName, checkProse, checkText, durationMs, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import { maskedFields } from '../base/update-mask.ts';
import type { Violations } from '../base/violations.ts';
import { maxConcurrencyFrom, rateLimitFrom, rateLimitTo, weightsFrom } from '../dispatch/convert-limits.ts';

const MAX_BACKLOG = 1_000_000_000n;

const fields = {
  changeable: ['description', 'max_concurrency', 'rate_limit', 'fairness_weights', 'max_backlog', 'max_backlog_age'],
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
    maxBacklog: BigInt(queue.maxBacklog),
    ...(queue.maxBacklogAgeMs === null ? {} : { maxBacklogAge: durationTo(queue.maxBacklogAgeMs) }),
    createTime: timestampTo(createTimeUs),
    counts: {
      blocked: BigInt(counts.BLOCKED ?? 0),
      scheduled: BigInt(counts.SCHEDULED ?? 0),
      ready: BigInt(counts.READY ?? 0),
      paused: BigInt(counts.PAUSED ?? 0),
      leased: BigInt(counts.ASSIGNED ?? 0),
      waiting: BigInt(counts.WAITING ?? 0),
    },
  });
}

/** The queue that a message names, with violations of its name. */
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

/** All settings in the message. */
export function settingsFrom(queue: WireQueue, violations: Violations): QueueSettings {
  return {
    description: queue.description,
    maxConcurrency: maxConcurrencyFrom(queue.maxConcurrency, 'queue.max_concurrency', violations),
    rateLimit: rateLimitFrom(queue.rateLimit, 'queue.rate_limit', violations),
    fairnessWeights: weightsFrom(queue.fairnessWeights, 'queue.fairness_weights', violations),
    ...boundsFrom(queue, violations),
  };
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

/** Fields of the contract, and the setting that each changes. */
const settingOf = {
  description: 'description',
  max_concurrency: 'maxConcurrency',
  rate_limit: 'rateLimit',
  fairness_weights: 'fairnessWeights',
  max_backlog: 'maxBacklog',
  max_backlog_age: 'maxBacklogAgeMs',
} as const satisfies Readonly<Record<string, keyof QueueSettings>>;

/** The settings that an update changes. */
export function changedSettings(
  queue: WireQueue,
  mask: FieldMask | undefined,
  violations: Violations,
): Partial<QueueSettings> {
  const isSet: Readonly<Record<string, boolean>> = {
    description: queue.description !== '',
    max_concurrency: queue.maxConcurrency !== 0,
    rate_limit: queue.rateLimit !== undefined,
    fairness_weights: Object.keys(queue.fairnessWeights).length > 0,
    max_backlog: queue.maxBacklog !== 0n,
    max_backlog_age: queue.maxBacklogAge !== undefined,
  };
  const changed = maskedFields(mask, fields, (field) => isSet[field] === true, violations);
  const settings = settingsFrom(queue, violations);
  return Object.fromEntries(
    Object.entries(settingOf).flatMap(([field, name]) => (changed.has(field) ? [[name, settings[name]]] : [])),
  );
}
