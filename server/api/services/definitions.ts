/** JobDefinitionService: keeps the definitions that jobs are made from. */
import { create } from '@bufbuild/protobuf';
import type { Replica } from '../../engine/replica.ts';
import {
  ApplyJobDefinitionResponseSchema,
  GetJobDefinitionResponseSchema,
  type JobDefinitionService,
} from '../../gen/muster/v1/job_definition_service_pb.ts';
import { checkDottedName, namespaceOf, requestIdOf } from '../checks.ts';
import { definitionFrom, definitionHash, definitionTo } from '../convert-definition.ts';
import type { Implementation } from '../service.ts';
import { notImplemented } from '../status.ts';
import { Violations } from '../violations.ts';

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
      const namespace = namespaceOf(request.namespace, violations);
      checkDottedName(request.name, 'name', violations);
      violations.check(request.version >= 0, 'version', 'must not be negative');
      violations.throwIfAny();
      return create(GetJobDefinitionResponseSchema, {
        definition: definitionTo(await replica.definitions.get(namespace, request.name, request.version)),
      });
    },
    async listJobDefinitions() {
      throw notImplemented('ListJobDefinitions: lists of definitions');
    },
    async archiveJobDefinition() {
      throw notImplemented('ArchiveJobDefinition: archived definitions');
    },
    async listCircuitBreakers() {
      throw notImplemented('ListCircuitBreakers: circuit breakers');
    },
    async closeCircuitBreaker() {
      throw notImplemented('CloseCircuitBreaker: circuit breakers');
    },
  };
}
