/** Converts job definitions between the contract and the core, with checks and defaults. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  JobDefinitionSchema,
  LeaseLossAction,
  type TaskBody,
  TaskBodySchema,
  type JobDefinition as WireDefinition,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { definitionDefaults, type JobDefinition } from '../../domain/definitions/definition.ts';
import { isReserved, RESERVED } from '../../domain/definitions/reserved-names.ts';
import { WAIT_TIMEOUT_MS } from '../../domain/signals/wait.ts';
import {
  checkDottedName,
  checkLabels,
  checkName,
  checkProse,
  checkRange,
  durationMs,
  isKnown,
  namespaceOf,
  TEN_YEARS_MS,
  THIRTY_DAYS_MS,
} from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import { Violations } from '../base/violations.ts';
import { publishesFrom } from '../dependencies/convert-dependency.ts';
import { demandsFrom, demandsTo } from '../dispatch/convert-demands.ts';
import { limitsFrom, limitsTo } from '../dispatch/convert-limits.ts';
import { softDeadlineFrom, softDeadlineTo } from '../jobs/convert-soft-deadline.ts';
import { submissionRulesFrom, submissionRulesTo } from '../jobs/convert-submission-rules.ts';
import { timeLimitsFrom, timeLimitsTo } from '../jobs/convert-time-limits.ts';
import { circuitBreakerFrom, circuitBreakerTo } from '../retries/convert-circuit-breaker.ts';
import { retryBudgetFrom, retryBudgetTo } from '../retries/convert-retry-budget.ts';
import { retryPolicyFrom, retryPolicyTo } from '../retries/convert-retry-policy.ts';
import { waitFrom, waitTo } from '../signals/convert-wait.ts';
import { workflowFrom, workflowTo } from '../workflows/convert-workflow.ts';
import { cleanupFrom, cleanupTo } from './convert-cleanup.ts';
import { schemaFrom, schemaTo } from './convert-schema.ts';
import { refuseFieldsOfAttempts } from './workflow-fields.ts';

function taskTo({ handler, cleanup }: JobDefinition): TaskBody {
  return create(TaskBodySchema, { handler, ...cleanupTo(cleanup) });
}

/** A workflow or a wait is never retried as a whole. */
const workflowRetryPolicy = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };

/** The body: a workflow's steps, a wait's event or approval, a task's handler. */
async function bodyFrom(
  wire: WireDefinition,
  violations: Violations,
): Promise<Pick<JobDefinition, 'workflow' | 'wait' | 'handler' | 'cleanup' | 'retryPolicy'>> {
  const { body } = wire;
  if (body.case === 'workflow') {
    const workflow = await workflowFrom(body.value, violations);
    refuseFieldsOfAttempts(wire, violations);
    return { handler: '', workflow, retryPolicy: workflowRetryPolicy };
  }
  if (body.case === 'wait') {
    const wait = waitFrom(body.value, violations);
    refuseFieldsOfAttempts(wire, violations, 'wait');
    return { handler: '', wait, retryPolicy: workflowRetryPolicy };
  }
  violations.check(body.case === 'task', 'definition.body', 'is missing: set task, workflow or wait');
  const handler = body.value?.handler || wire.name;
  if (handler !== wire.name) checkDottedName(handler, 'definition.task.handler', violations);
  const retryPolicy = retryPolicyFrom(wire.retryPolicy, 'definition.retry_policy', violations);
  return {
    handler,
    ...cleanupFrom(wire, violations),
    retryPolicy: retryPolicy ?? definitionDefaults.retryPolicy,
  };
}

export async function definitionFrom(wire: WireDefinition | undefined): Promise<JobDefinition> {
  const violations = new Violations();
  if (!wire) {
    violations.add('definition', 'is missing');
    violations.throwIfAny();
  }
  const given = wire as WireDefinition;
  checkDottedName(given.name, 'definition.name', violations);
  violations.check(!isReserved(given.name), 'definition.name', RESERVED);
  const body = await bodyFrom(given, violations);
  const queue = given.queue || definitionDefaults.queue;
  checkName(queue, 'definition.queue', violations);
  checkRange(given.priority, -100, 100, 'definition.priority', violations);
  checkProse(given.description, 1_024, 'definition.description', violations);
  checkLabels(given.labels, 64, 'definition.labels', violations);
  violations.check(
    isKnown(LeaseLossAction, given.leaseLossAction),
    'definition.lease_loss_action',
    `has the unknown value ${given.leaseLossAction}`,
  );
  const timeLimits = timeLimitsFrom(given, violations);
  const softDeadline = softDeadlineFrom(given.softDeadline, 'definition.soft_deadline', violations, true);
  const retentionMs = durationMs(given.retention, 0, TEN_YEARS_MS, 'definition.retention', violations);
  const retryBudget = retryBudgetFrom(given.retryBudget, 'definition.retry_budget', violations);
  const breakerField = 'definition.circuit_breaker';
  const circuitBreaker = circuitBreakerFrom(given.circuitBreaker, given.name, breakerField, violations);
  const inputSchema = schemaFrom(given, 'input', violations);
  const outputSchema = schemaFrom(given, 'output', violations);
  const definition: JobDefinition = {
    namespace: namespaceOf(given.namespace, violations, 'definition.namespace'),
    name: given.name,
    version: 0,
    ...body,
    queue,
    ...(retryBudget ? { retryBudget } : {}),
    ...(circuitBreaker ? { circuitBreaker } : {}),
    ...limitsFrom(given, violations),
    ...publishesFrom(given.publishes, violations),
    runTimeoutMs:
      durationMs(given.runTimeout, 1, THIRTY_DAYS_MS, 'definition.run_timeout', violations) ??
      (body.wait ? WAIT_TIMEOUT_MS : definitionDefaults.runTimeoutMs),
    ...(timeLimits ? { timeLimits } : {}),
    ...(softDeadline ? { softDeadline } : {}),
    cancelGraceMs:
      durationMs(given.cancelGrace, 0, 3_600_000, 'definition.cancel_grace', violations) ??
      definitionDefaults.cancelGraceMs,
    leaseLossAction: given.leaseLossAction === LeaseLossAction.CONTINUE ? 'CONTINUE' : 'ABORT',
    demands: demandsFrom(given.demands, 'definition.demands', violations) ?? { labels: {} },
    priority: given.priority,
    description: given.description,
    labels: given.labels,
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(inputSchema ? { inputSchema } : {}),
    ...(outputSchema ? { outputSchema } : {}),
    ...submissionRulesFrom(given, violations),
    createTimeUs: 0,
  };
  violations.throwIfAny();
  return definition;
}

type OfTasks = 'retryPolicy' | 'runTimeout' | 'cancelGrace' | 'leaseLossAction' | 'demands';

/** The body and the fields that only a task has: a workflow or a wait must not be sent with them either. */
function bodyTo(definition: JobDefinition): Pick<WireDefinition, 'body'> & Partial<Pick<WireDefinition, OfTasks>> {
  const { workflow, wait } = definition;
  if (wait) return { body: { case: 'wait', value: waitTo(wait) }, runTimeout: durationTo(definition.runTimeoutMs) };
  if (workflow) return { body: { case: 'workflow', value: workflowTo(workflow) } };
  return {
    body: { case: 'task', value: taskTo(definition) },
    retryPolicy: retryPolicyTo(definition.retryPolicy),
    runTimeout: durationTo(definition.runTimeoutMs),
    cancelGrace: durationTo(definition.cancelGraceMs),
    leaseLossAction: definition.leaseLossAction === 'CONTINUE' ? LeaseLossAction.CONTINUE : LeaseLossAction.ABORT,
    demands: demandsTo(definition.demands),
  };
}

export function definitionTo(definition: JobDefinition): WireDefinition {
  const created = definition.createTimeUs > 0 ? timestampTo(definition.createTimeUs) : undefined;
  const [input, output] = [schemaTo(definition.inputSchema), schemaTo(definition.outputSchema)];
  const archived = definition.archiveTimeUs === undefined ? undefined : timestampTo(definition.archiveTimeUs);
  return create(JobDefinitionSchema, {
    namespace: definition.namespace,
    name: definition.name,
    version: definition.version,
    queue: definition.queue,
    ...bodyTo(definition),
    ...(definition.retryBudget ? { retryBudget: retryBudgetTo(definition.retryBudget) } : {}),
    ...(definition.circuitBreaker ? { circuitBreaker: circuitBreakerTo(definition.circuitBreaker) } : {}),
    ...limitsTo(definition),
    ...timeLimitsTo(definition.timeLimits),
    ...softDeadlineTo(definition.softDeadline),
    priority: definition.priority,
    description: definition.description,
    labels: { ...definition.labels },
    ...(definition.retentionMs === undefined ? {} : { retention: durationTo(definition.retentionMs) }),
    inputJsonSchema: input.json,
    outputJsonSchema: output.json,
    ...(input.protobuf ? { inputProtobufSchema: input.protobuf } : {}),
    ...(output.protobuf ? { outputProtobufSchema: output.protobuf } : {}),
    ...(created ? { createTime: created } : {}),
    ...(archived ? { archiveTime: archived } : {}),
    ...submissionRulesTo(definition),
    publishes: [...(definition.publishes ?? [])],
  });
}

/** Hash of everything except the version: equal content is the same version, whatever the order of its maps. */
export function definitionHash(definition: JobDefinition): Uint8Array {
  const { version: _, createTimeUs: __, archiveTimeUs: ___, rollout: ____, ...content } = definition;
  return createHash('sha256').update(JSON.stringify(content, sortedKeys)).digest();
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
