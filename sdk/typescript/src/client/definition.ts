/** Converts a caller's definition to the message of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { clone, create, isMessage } from '@bufbuild/protobuf';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import { JobDefinitionSchema, TaskBodySchema } from '../gen/muster/v1/job_definition_pb.ts';
import type { KeyLimitInit, RateLimitInit } from './limits.ts';
import { keyLimit, rateLimit } from './limits.ts';
import type { RetryPolicyInit } from './retry-policy.ts';
import { retryPolicy } from './retry-policy.ts';
import type { SoftDeadlineInit } from './soft-deadline.ts';
import { softDeadline } from './soft-deadline.ts';

/** A definition. Without a `body` it is a task, run by the handler of the same name. */
export type DefinitionInit =
  | JobDefinition
  | (Omit<
      Exclude<MessageInitShape<typeof JobDefinitionSchema>, JobDefinition>,
      'retryPolicy' | 'rateLimit' | 'keyLimit' | 'softDeadline'
    > & {
      /** How failed attempts are retried. Default: three attempts with exponential backoff. */
      readonly retryPolicy?: RetryPolicyInit;
      /** Attempts of its jobs that may be assigned per period. Default: no limit. */
      readonly rateLimit?: RateLimitInit;
      /** Limits for each value of a key. Default: none. */
      readonly keyLimit?: KeyLimitInit;
      /** By when each of its jobs should have ended. Default: no such time. */
      readonly softDeadline?: SoftDeadlineInit;
    });

export function definitionMessage(init: DefinitionInit, namespace: string): JobDefinition {
  const definition = clone(JobDefinitionSchema, create(JobDefinitionSchema, inMessages(init)));
  definition.namespace ||= namespace;
  if (definition.body.case === undefined) definition.body = { case: 'task', value: create(TaskBodySchema) };
  return definition;
}

function inMessages(init: DefinitionInit): MessageInitShape<typeof JobDefinitionSchema> {
  if (isMessage(init, JobDefinitionSchema)) return init;
  const { retryPolicy: policy, rateLimit: rate, keyLimit: ofKey, softDeadline: deadline, ...same } = init;
  return {
    ...same,
    ...(policy === undefined ? {} : { retryPolicy: retryPolicy(policy) }),
    ...(rate === undefined ? {} : { rateLimit: rateLimit(rate) }),
    ...(ofKey === undefined ? {} : { keyLimit: keyLimit(ofKey) }),
    ...(deadline === undefined ? {} : { softDeadline: softDeadline(deadline) }),
  };
}
