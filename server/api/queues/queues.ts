/** QueueService: creates, shows, pauses and deletes queues. */
import { create } from '@bufbuild/protobuf';
import {
  CreateQueueResponseSchema,
  DeleteQueueResponseSchema,
  GetQueueResponseSchema,
  ListQueuesResponseSchema,
  PauseQueueResponseSchema,
  type QueueService,
  ResumeQueueResponseSchema,
  UpdateQueueResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import type { QueueName } from '../../engine/ports/queues.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkName, checkText, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { graceFrom } from '../jobs/pause-request.ts';
import { changedSettings, queueFrom, queueTo, settingsFrom } from './convert-queue.ts';

/** The queue that a request names. Also throws the violations found so far. */
function nameOf(request: { namespace: string; name: string }, violations: Violations): QueueName {
  const namespace = namespaceOf(request.namespace, violations);
  checkName(request.name, 'name', violations);
  violations.throwIfAny();
  return { namespace, name: request.name };
}

export function queueService(replica: Replica): Implementation<typeof QueueService> {
  const { queues, evictions } = replica;
  return {
    async createQueue(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const queue = queueFrom(request.queue, violations);
      const settings = settingsFrom(queue, violations);
      violations.throwIfAny();
      const { namespace, name } = queue;
      const key = requestKey('CreateQueue', requestId, context.body);
      const made = await queues.create({ namespace, name }, settings, key);
      return create(CreateQueueResponseSchema, { queue: queueTo(made) });
    },
    async getQueue(request) {
      const queue = await queues.get(nameOf(request, new Violations()));
      return create(GetQueueResponseSchema, { queue: queueTo(queue) });
    },
    async listQueues(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListQueues', namespace];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const page = await queues.list(namespace, afterName, limit);
      const last = page.hasMore ? page.queues.at(-1) : undefined;
      return create(ListQueuesResponseSchema, {
        queues: page.queues.map(queueTo),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
    async updateQueue(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const queue = queueFrom(request.queue, violations);
      const settings = changedSettings(queue, request.updateMask, violations);
      violations.throwIfAny();
      const { namespace, name, etag } = queue;
      const key = requestKey('UpdateQueue', requestId, context.body);
      const changed = await queues.update({ namespace, name }, { settings, etag }, key);
      return create(UpdateQueueResponseSchema, { queue: queueTo(changed) });
    },
    async pauseQueue(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.reason, 256, 'reason', violations);
      const { running, reason } = request;
      const graceMs = graceFrom(request, violations);
      const queue = nameOf(request, violations);
      const paused = await queues.pause(queue, reason, requestKey('PauseQueue', requestId, context.body));
      // A repeat may find it resumed.
      if (running && paused.paused) await evictions.evict(queue, reason, graceMs);
      return create(PauseQueueResponseSchema, { queue: queueTo(paused) });
    },
    async resumeQueue(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const queue = nameOf(request, violations);
      const resumed = await queues.resume(queue, requestKey('ResumeQueue', requestId, context.body));
      await evictions.keep(queue);
      return create(ResumeQueueResponseSchema, { queue: queueTo(resumed) });
    },
    async deleteQueue(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const queue = nameOf(request, violations);
      await queues.delete(queue, requestKey('DeleteQueue', requestId, context.body));
      return create(DeleteQueueResponseSchema);
    },
  };
}
