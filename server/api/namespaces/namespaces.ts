/** NamespaceService: stores the settings of namespaces. */
import { create } from '@bufbuild/protobuf';
import { type Namespace, NamespaceSchema } from '@muster-jobs/sdk/gen/muster/v1/namespace_pb';
import {
  GetNamespaceResponseSchema,
  type NamespaceService,
  UpdateNamespaceResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/namespace_service_pb';
import { definitionDefaults } from '../../domain/definitions/definition.ts';
import type { NamespaceSettings } from '../../engine/namespaces/namespaces.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkName, durationMs, namespaceOf, requestIdOf, TEN_YEARS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { requestKey } from '../base/request-key.ts';
import { maskedFields } from '../base/update-mask.ts';
import { Violations } from '../base/violations.ts';

const fields = { changeable: ['retention'], fixed: ['name'] };

function namespaceTo({ name, retentionMs = definitionDefaults.retentionMs }: NamespaceSettings): Namespace {
  return create(NamespaceSchema, { name, retention: durationTo(retentionMs) });
}

export function namespaceService(replica: Replica): Implementation<typeof NamespaceService> {
  return {
    async getNamespace(request) {
      const violations = new Violations();
      const name = namespaceOf(request.namespace, violations);
      violations.throwIfAny();
      return create(GetNamespaceResponseSchema, { namespace: namespaceTo(await replica.namespaces.get(name)) });
    },
    async updateNamespace(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      violations.check(request.namespace !== undefined, 'namespace', 'is missing');
      const given = request.namespace ?? create(NamespaceSchema);
      const name = given.name || 'default';
      checkName(name, 'namespace.name', violations);
      const retentionMs = durationMs(given.retention, 0, TEN_YEARS_MS, 'namespace.retention', violations);
      const changed = maskedFields(request.updateMask, fields, () => given.retention !== undefined, violations);
      violations.throwIfAny();
      const key = requestKey('UpdateNamespace', requestId, context.body);
      if (changed.has('retention')) await replica.namespaces.setRetention(name, retentionMs, key);
      return create(UpdateNamespaceResponseSchema, { namespace: namespaceTo(await replica.namespaces.get(name)) });
    },
  };
}
