/** JobDefinitionService: keeps the definitions that jobs are made from. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import type { Replica } from '../../engine/replica.ts';
import {
  ApplyJobDefinitionResponseSchema,
  ArchiveJobDefinitionResponseSchema,
  GetJobDefinitionResponseSchema,
  type JobDefinitionService,
  ListJobDefinitionsResponseSchema,
} from '../../gen/muster/v1/job_definition_service_pb.ts';
import { checkDottedName, namespaceOf, pageSizeOf, requestIdOf } from '../checks.ts';
import { definitionFrom, definitionHash, definitionTo } from '../convert-definition.ts';
import type { Implementation } from '../service.ts';
import { notImplemented } from '../status.ts';
import { Violations } from '../violations.ts';

/** The namespace and the name that a request names. */
function nameOf(request: { namespace: string; name: string }, violations: Violations) {
  const namespace = namespaceOf(request.namespace, violations);
  checkDottedName(request.name, 'name', violations);
  violations.throwIfAny();
  return { namespace, name: request.name };
}

/** A token says after which name to go on; the checksum tells a damaged one, and one of another list. */
function tokenOf(namespace: string, name: string): string {
  const checksum = createHash('sha256').update(`definitions/${namespace}/${name}`).digest('hex').slice(0, 16);
  return Buffer.from(`${namespace}/${name}/${checksum}`).toString('base64url');
}

function afterOf(token: string, namespace: string, violations: Violations): string {
  if (token === '') return '';
  const [owner, name = ''] = Buffer.from(token, 'base64url').toString().split('/');
  violations.check(
    owner === namespace && token === tokenOf(namespace, name),
    'page_token',
    'is not one that ListJobDefinitions returned for this namespace',
  );
  return name;
}

export function definitionService(replica: Replica): Implementation<typeof JobDefinitionService> {
  return {
    // The content itself makes a repeat harmless, so the request id is only checked.
    async applyJobDefinition(request) {
      const violations = new Violations();
      requestIdOf(request.requestId, violations);
      violations.throwIfAny();
      const definition = definitionFrom(request.definition);
      const applied = await replica.applyDefinition(definition, definitionHash(definition), request.validateOnly);
      return create(ApplyJobDefinitionResponseSchema, {
        definition: definitionTo(applied.definition),
        created: applied.created,
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
      const afterName = afterOf(request.pageToken, namespace, violations);
      violations.throwIfAny();
      const { showArchived } = request;
      const { definitions, hasMore } = await replica.definitions.list({ namespace, afterName, limit, showArchived });
      const last = hasMore ? definitions.at(-1) : undefined;
      return create(ListJobDefinitionsResponseSchema, {
        definitions: definitions.map(definitionTo),
        nextPageToken: last ? tokenOf(namespace, last.name) : '',
      });
    },
    // Archiving twice is no error, so the request id is only checked.
    async archiveJobDefinition(request) {
      const violations = new Violations();
      requestIdOf(request.requestId, violations);
      const { namespace, name } = nameOf(request, violations);
      return create(ArchiveJobDefinitionResponseSchema, {
        definition: definitionTo(await replica.definitions.archive(namespace, name)),
      });
    },
    async listCircuitBreakers() {
      throw notImplemented('ListCircuitBreakers: circuit breakers');
    },
    async closeCircuitBreaker() {
      throw notImplemented('CloseCircuitBreaker: circuit breakers');
    },
  };
}
