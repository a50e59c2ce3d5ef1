/** JobDefinitionService: stores the definitions that jobs are created from. */
import { create } from '@bufbuild/protobuf';
import { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import {
  ApplyJobDefinitionResponseSchema,
  ArchiveJobDefinitionResponseSchema,
  CompatibilityKind,
  GetJobDefinitionResponseSchema,
  type JobDefinitionService,
  ListJobDefinitionsResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { isReserved, RESERVED } from '../../domain/definitions/reserved-names.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkDottedName, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import { fieldDifferences } from '../base/field-differences.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { definitionFrom, definitionHash, definitionTo } from './convert-definition.ts';
import { rolloutSettingsFrom, rolloutTo } from './convert-rollout.ts';

/** Fields that are not part of a version's content. */
const notContent = new Set(['namespace', 'name', 'version', 'create_time', 'archive_time']);

/** The namespace and the name in a request. */
function nameOf(request: { namespace: string; name: string }, violations: Violations) {
  const namespace = namespaceOf(request.namespace, violations);
  checkDottedName(request.name, 'name', violations);
  violations.throwIfAny();
  return { namespace, name: request.name };
}

export function definitionService(replica: Replica): Implementation<typeof JobDefinitionService> {
  return {
    async applyJobDefinition(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const rollout = request.rollout && rolloutSettingsFrom(request.rollout, 'rollout', violations);
      violations.throwIfAny();
      const definition = await definitionFrom(request.definition);
      const hash = definitionHash(definition);
      const { definitionChanges } = replica;
      // A repeat is recognized by content: the bytes of the call may differ each time, since it has maps.
      const content = Buffer.concat([hash, Buffer.from(rollout ? JSON.stringify(rollout) : '')]);
      const applied = request.validateOnly
        ? await definitionChanges.check(definition, hash, rollout)
        : await definitionChanges.apply(
            definition,
            hash,
            requestKey('ApplyJobDefinition', requestId, content),
            rollout,
          );
      const now = definitionTo(applied.definition);
      const { namespace, name, version } = applied.definition;
      const begun = request.validateOnly
        ? undefined
        : await replica.rollouts.find({ namespace, definition: name, version });
      return create(ApplyJobDefinitionResponseSchema, {
        definition: now,
        created: applied.created,
        differences: applied.previous
          ? fieldDifferences(JobDefinitionSchema, definitionTo(applied.previous), now, notContent)
          : [],
        issues: applied.issues.map(({ kind, message, subjects }) => ({
          kind: CompatibilityKind[kind],
          message,
          subjects: [...subjects],
        })),
        ...(begun ? { rollout: rolloutTo(begun) } : {}),
      });
    },
    async getJobDefinition(request) {
      const violations = new Violations();
      violations.check(request.version >= 0, 'version', 'must not be negative');
      const { namespace, name } = nameOf(request, violations);
      return create(GetJobDefinitionResponseSchema, {
        definition: definitionTo(await replica.definitions.show(namespace, name, request.version)),
      });
    },
    async listJobDefinitions(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const { showArchived } = request;
      const key = await replica.pageTokenKey();
      const list = ['ListJobDefinitions', namespace, String(showArchived)];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const { definitions, hasMore } = await replica.definitions.list({ namespace, afterName, limit, showArchived });
      const last = hasMore ? definitions.at(-1) : undefined;
      return create(ListJobDefinitionsResponseSchema, {
        definitions: definitions.map(definitionTo),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
    async archiveJobDefinition(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      violations.check(!isReserved(request.name), 'name', RESERVED);
      const { namespace, name } = nameOf(request, violations);
      const key = requestKey('ArchiveJobDefinition', requestId, context.body);
      return create(ArchiveJobDefinitionResponseSchema, {
        definition: definitionTo(await replica.definitions.archive(namespace, name, key)),
      });
    },
  };
}
