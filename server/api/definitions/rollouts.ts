/** RolloutService: the gradual roll-out of versions. */
import { create } from '@bufbuild/protobuf';
import {
  GetRolloutResponseSchema,
  ListRolloutsResponseSchema,
  PromoteRolloutResponseSchema,
  RollBackRolloutResponseSchema,
  type RolloutService,
  UpdateRolloutResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/rollout_service_pb';
import type { RolloutName } from '../../engine/ports/definitions.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkDottedName, checkText, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { rolloutSettingsFrom, rolloutTo } from './convert-rollout.ts';

/** The roll-out that a request names. Also throws the violations found so far. */
function nameOf(
  request: { readonly namespace: string; readonly definition: string; readonly version: number },
  violations: Violations,
): RolloutName {
  const namespace = namespaceOf(request.namespace, violations);
  const { definition, version } = request;
  checkDottedName(definition, 'definition', violations);
  violations.check(version >= 0, 'version', 'must not be negative');
  violations.throwIfAny();
  return { namespace, definition, version };
}

export function rolloutService({ rollouts, pageTokenKey }: Replica): Implementation<typeof RolloutService> {
  return {
    async getRollout(request) {
      const rollout = await rollouts.get(nameOf(request, new Violations()));
      return create(GetRolloutResponseSchema, { rollout: rolloutTo(rollout) });
    },
    async listRollouts(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await pageTokenKey();
      const list = ['ListRollouts', namespace];
      const position = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const [definition = '', version = ''] = position?.split('/') ?? [];
      const after = position === undefined ? undefined : { definition, version: Number(version) };
      const page = await rollouts.list(namespace, after, limit);
      const last = page.hasMore ? page.rollouts.at(-1) : undefined;
      return create(ListRolloutsResponseSchema, {
        rollouts: page.rollouts.map(rolloutTo),
        nextPageToken: last ? pageToken(key, list, `${last.definition}/${last.version}`) : '',
      });
    },
    async updateRollout(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const settings = rolloutSettingsFrom(request.settings, 'settings', violations);
      const name = nameOf(request, violations);
      const changed = await rollouts.update(name, settings, requestKey('UpdateRollout', requestId, context.body));
      return create(UpdateRolloutResponseSchema, { rollout: rolloutTo(changed) });
    },
    async promoteRollout(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const name = nameOf(request, violations);
      const changed = await rollouts.promote(name, requestKey('PromoteRollout', requestId, context.body));
      return create(PromoteRolloutResponseSchema, { rollout: rolloutTo(changed) });
    },
    async rollBackRollout(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.reason, 256, 'reason', violations);
      const name = nameOf(request, violations);
      const key = requestKey('RollBackRollout', requestId, context.body);
      const changed = await rollouts.rollBack(name, request.reason, key);
      return create(RollBackRolloutResponseSchema, { rollout: rolloutTo(changed) });
    },
  };
}
