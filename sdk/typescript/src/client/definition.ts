/** Converts a caller's definition to the message of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { clone, create, isMessage } from '@bufbuild/protobuf';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import { JobDefinitionSchema, TaskBodySchema } from '../gen/muster/v1/job_definition_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import type { Known } from '../options/known-options.ts';
import { within } from '../options/known-options.ts';
import type { KeyLimitInit, RateLimitInit } from './limits.ts';
import { keyLimit, rateLimit } from './limits.ts';
import type { RetryPolicyInit } from './retry-policy.ts';
import { retryPolicy } from './retry-policy.ts';
import type { SoftDeadlineInit } from './soft-deadline.ts';
import { softDeadline } from './soft-deadline.ts';

/** Fields of a definition that options may stand for. */
interface Converted {
  /** How failed attempts are retried. Default: three attempts with exponential backoff. */
  readonly retryPolicy?: RetryPolicyInit;
  /** Attempts of its jobs that may be assigned per period. Default: no limit. */
  readonly rateLimit?: RateLimitInit;
  /** Limits for each value of a key. Default: none. */
  readonly keyLimit?: KeyLimitInit;
  /** By when each of its jobs should have ended. Default: no such time. */
  readonly softDeadline?: SoftDeadlineInit;
}

const converted = {
  retryPolicy: true,
  rateLimit: true,
  keyLimit: true,
  softDeadline: true,
} as const satisfies Known<Converted>;

/** The fields of a definition. */
export type DefinitionOptions = Omit<
  Exclude<MessageInitShape<typeof JobDefinitionSchema>, JobDefinition>,
  keyof Converted
> &
  Converted;

/** A definition. Without a `body` it is a task, run by the handler of the same name. */
export type DefinitionInit = JobDefinition | DefinitionOptions;

/**
 * @param call The call, for errors.
 * @throws TypeError when a field is unknown, also within another one.
 */
export function definitionMessage(init: DefinitionInit, namespace: string, call = 'applyDefinition'): JobDefinition {
  const definition = clone(JobDefinitionSchema, create(JobDefinitionSchema, inMessages(init, call)));
  definition.namespace ||= namespace;
  if (definition.body.case === undefined) definition.body = { case: 'task', value: create(TaskBodySchema) };
  return definition;
}

/** @param more Further names that `init` may have. */
export function refuseUnknownDefinition(where: string, init: object, more: Readonly<Record<string, true>> = {}): void {
  refuseUnknownFields(where, JobDefinitionSchema, init, { ...converted, ...more });
}

function inMessages(init: DefinitionInit, call: string): MessageInitShape<typeof JobDefinitionSchema> {
  refuseUnknownDefinition(call, init);
  if (isMessage(init, JobDefinitionSchema)) return init;
  const { retryPolicy: policy, rateLimit: rate, keyLimit: ofKey, softDeadline: deadline, ...same } = init;
  return {
    ...same,
    ...(policy === undefined ? {} : { retryPolicy: retryPolicy(policy, within(call, 'retryPolicy')) }),
    ...(rate === undefined ? {} : { rateLimit: rateLimit(rate, within(call, 'rateLimit')) }),
    ...(ofKey === undefined ? {} : { keyLimit: keyLimit(ofKey, within(call, 'keyLimit')) }),
    ...(deadline === undefined ? {} : { softDeadline: softDeadline(deadline, within(call, 'softDeadline')) }),
  };
}
