/** TriggerService: submits jobs when conditions are met. */
import { create } from '@bufbuild/protobuf';
import { TriggerSchema } from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import {
  ApplyTriggerResponseSchema,
  DeleteTriggerResponseSchema,
  ExplainTriggerResponseSchema,
  GetTriggerResponseSchema,
  ListTriggerRunsResponseSchema,
  ListTriggersResponseSchema,
  PauseTriggerResponseSchema,
  ResumeTriggerResponseSchema,
  type TriggerService,
} from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { checkText, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { contentHash, runsPage, scheduleNameFrom } from '../schedules/schedule-requests.ts';
import { progressTo, triggerFrom, triggerRunTo, triggerTo } from './convert-trigger.ts';

const nameOf = (request: { namespace: string; name: string }, violations: Violations) =>
  scheduleNameFrom(request, 'TRIGGER', violations);

type Changes = 'applyTrigger' | 'deleteTrigger' | 'pauseTrigger' | 'resumeTrigger';

export function triggerService(replica: Replica): Implementation<typeof TriggerService> {
  return { ...changes(replica), ...reads(replica) };
}

function reads(replica: Replica): Omit<Implementation<typeof TriggerService>, Changes> {
  const { schedules, triggerProgress, pageTokenKey } = replica;
  return {
    async getTrigger(request) {
      const trigger = await schedules.get(nameOf(request, new Violations()));
      return create(GetTriggerResponseSchema, { trigger: triggerTo(trigger) });
    },
    async listTriggers(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await pageTokenKey();
      const list = ['ListTriggers', namespace];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const page = await schedules.list(namespace, 'TRIGGER', afterName, limit);
      const last = page.hasMore ? page.schedules.at(-1) : undefined;
      return create(ListTriggersResponseSchema, {
        triggers: page.schedules.map(triggerTo),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
    async listTriggerRuns(request) {
      const { runs, nextPageToken } = await runsPage(replica, 'ListTriggerRuns', 'TRIGGER', request);
      return create(ListTriggerRunsResponseSchema, { runs: runs.map(triggerRunTo), nextPageToken });
    },
    async explainTrigger(request) {
      const violations = new Violations();
      const limit = pageSizeOf(request.pageSize, violations);
      const name = nameOf(request, violations);
      const tokenKey = await pageTokenKey();
      const list = ['ExplainTrigger', name.namespace, name.name];
      // A key may be empty, a position may not.
      const after = positionOf(request.pageToken, tokenKey, list, violations)?.slice(1);
      violations.throwIfAny();
      const page = await triggerProgress.explain(await schedules.get(name), after, limit);
      const { lastKey } = page;
      return create(ExplainTriggerResponseSchema, {
        progress: page.progress.map(progressTo),
        missing: [...page.missing],
        nextPageToken: lastKey === undefined ? '' : pageToken(tokenKey, list, `/${lastKey}`),
      });
    },
  };
}

function changes(replica: Replica): Pick<Implementation<typeof TriggerService>, Changes> {
  const { schedules } = replica;
  return {
    async applyTrigger(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { etag, ...spec } = triggerFrom(request.trigger, replica.maxPayload, violations);
      violations.throwIfAny();
      if (request.validateOnly) {
        await schedules.check(spec);
        return create(ApplyTriggerResponseSchema, { trigger: triggerTo(spec) });
      }
      const key = requestKey('ApplyTrigger', requestId, contentHash(TriggerSchema, triggerTo({ ...spec, etag })));
      const { schedule, created } = await schedules.apply(spec, etag, key);
      return create(ApplyTriggerResponseSchema, { trigger: triggerTo(schedule), created });
    },
    async deleteTrigger(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const name = nameOf(request, violations);
      await schedules.delete(name, requestKey('DeleteTrigger', requestId, context.body));
      return create(DeleteTriggerResponseSchema);
    },
    async pauseTrigger(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.reason, 256, 'reason', violations);
      const name = nameOf(request, violations);
      const key = requestKey('PauseTrigger', requestId, context.body);
      const paused = await schedules.pause(name, request.reason, key);
      return create(PauseTriggerResponseSchema, { trigger: triggerTo(paused) });
    },
    async resumeTrigger(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const name = nameOf(request, violations);
      const resumed = await schedules.resume(name, requestKey('ResumeTrigger', requestId, context.body));
      return create(ResumeTriggerResponseSchema, { trigger: triggerTo(resumed) });
    },
  };
}
