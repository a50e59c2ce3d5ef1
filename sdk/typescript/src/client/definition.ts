/** A definition as a caller writes it, as the message that the server takes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { clone, create, isMessage } from '@bufbuild/protobuf';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import { JobDefinitionSchema, TaskBodySchema } from '../gen/muster/v1/job_definition_pb.ts';
import type { RetryPolicyInit } from './retry-policy.ts';
import { retryPolicy } from './retry-policy.ts';

/** A definition; without a `body` it is a task that the handler of the same name runs. */
export type DefinitionInit =
  | JobDefinition
  | (Omit<Exclude<MessageInitShape<typeof JobDefinitionSchema>, JobDefinition>, 'retryPolicy'> & {
      /** How failed attempts are retried. Default: three attempts with exponential backoff. */
      readonly retryPolicy?: RetryPolicyInit;
    });

export function definitionMessage(init: DefinitionInit, namespace: string): JobDefinition {
  const definition = clone(JobDefinitionSchema, create(JobDefinitionSchema, inMessages(init)));
  definition.namespace ||= namespace;
  if (definition.body.case === undefined) definition.body = { case: 'task', value: create(TaskBodySchema) };
  return definition;
}

function inMessages(init: DefinitionInit): MessageInitShape<typeof JobDefinitionSchema> {
  if (isMessage(init, JobDefinitionSchema)) return init;
  const { retryPolicy: policy, ...same } = init;
  return policy === undefined ? same : { ...same, retryPolicy: retryPolicy(policy) };
}
