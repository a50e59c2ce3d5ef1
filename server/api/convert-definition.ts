/** Job definitions between the contract and the core: checked, every default filled in. */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { definitionDefaults, type JobDefinition } from '../domain/definition.ts';
import {
  JobDefinitionSchema,
  LeaseLossAction,
  type TaskBody,
  TaskBodySchema,
  type JobDefinition as WireDefinition,
} from '../gen/muster/v1/job_definition_pb.ts';
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
} from './checks.ts';
import { circuitBreakerFrom, circuitBreakerTo } from './convert-circuit-breaker.ts';
import { demandsFrom, demandsTo } from './convert-demands.ts';
import { limitsFrom, limitsTo } from './convert-limits.ts';
import { durationTo, timestampTo } from './convert-payload.ts';
import { retryBudgetFrom, retryBudgetTo } from './convert-retry-budget.ts';
import { retryPolicyFrom, retryPolicyTo } from './convert-retry-policy.ts';
import { schemaFrom, schemaTo } from './convert-schema.ts';
import { submissionRulesFrom, submissionRulesTo } from './convert-submission-rules.ts';
import { timeLimitsFrom, timeLimitsTo } from './convert-time-limits.ts';
import { notImplemented } from './status.ts';
import { Violations } from './violations.ts';

const DAY_MS = 86_400_000;

/** Refuses what this release can't honour: better than taking it and doing nothing. */
function refuseUnimplemented(wire: WireDefinition): void {
  if (wire.body.case === 'workflow') throw notImplemented('definition.workflow: workflows');
}

function cleanupFrom({ body }: WireDefinition, violations: Violations): Pick<JobDefinition, 'cleanup'> {
  const { cleanupHandler = '', cleanupTimeout } = body.case === 'task' ? body.value : {};
  const timeoutMs = durationMs(cleanupTimeout, 1, DAY_MS, 'definition.task.cleanup_timeout', violations);
  if (cleanupHandler === '') {
    violations.check(
      cleanupTimeout === undefined,
      'definition.task.cleanup_timeout',
      'is set without cleanup_handler: name the handler that cleans up',
    );
    return {};
  }
  checkDottedName(cleanupHandler, 'definition.task.cleanup_handler', violations);
  return { cleanup: { handler: cleanupHandler, timeoutMs: timeoutMs ?? definitionDefaults.cleanupTimeoutMs } };
}

function taskTo({ handler, cleanup }: JobDefinition): TaskBody {
  const cleaning = cleanup && { cleanupHandler: cleanup.handler, cleanupTimeout: durationTo(cleanup.timeoutMs) };
  return create(TaskBodySchema, { handler, ...cleaning });
}

export function definitionFrom(wire: WireDefinition | undefined): JobDefinition {
  const violations = new Violations();
  if (!wire) {
    violations.add('definition', 'is missing');
    violations.throwIfAny();
  }
  const given = wire as WireDefinition;
  refuseUnimplemented(given);
  checkDottedName(given.name, 'definition.name', violations);
  violations.check(given.body.case === 'task', 'definition.body', 'is missing: set task');
  const handler = (given.body.case === 'task' && given.body.value.handler) || given.name;
  if (handler !== given.name) checkDottedName(handler, 'definition.task.handler', violations);
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
    handler,
    ...cleanupFrom(given, violations),
    queue,
    retryPolicy:
      retryPolicyFrom(given.retryPolicy, 'definition.retry_policy', violations) ?? definitionDefaults.retryPolicy,
    ...(retryBudget ? { retryBudget } : {}),
    ...(circuitBreaker ? { circuitBreaker } : {}),
    ...limitsFrom(given, violations),
    runTimeoutMs:
      durationMs(given.runTimeout, 1, THIRTY_DAYS_MS, 'definition.run_timeout', violations) ??
      definitionDefaults.runTimeoutMs,
    ...(timeLimits ? { timeLimits } : {}),
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

export function definitionTo(definition: JobDefinition): WireDefinition {
  const created = definition.createTimeUs > 0 ? timestampTo(definition.createTimeUs) : undefined;
  const [input, output] = [schemaTo(definition.inputSchema), schemaTo(definition.outputSchema)];
  const archived = definition.archiveTimeUs === undefined ? undefined : timestampTo(definition.archiveTimeUs);
  return create(JobDefinitionSchema, {
    namespace: definition.namespace,
    name: definition.name,
    version: definition.version,
    body: { case: 'task', value: taskTo(definition) },
    queue: definition.queue,
    retryPolicy: retryPolicyTo(definition.retryPolicy),
    ...(definition.retryBudget ? { retryBudget: retryBudgetTo(definition.retryBudget) } : {}),
    ...(definition.circuitBreaker ? { circuitBreaker: circuitBreakerTo(definition.circuitBreaker) } : {}),
    ...limitsTo(definition),
    runTimeout: durationTo(definition.runTimeoutMs),
    ...timeLimitsTo(definition.timeLimits),
    cancelGrace: durationTo(definition.cancelGraceMs),
    leaseLossAction: definition.leaseLossAction === 'CONTINUE' ? LeaseLossAction.CONTINUE : LeaseLossAction.ABORT,
    demands: demandsTo(definition.demands),
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
  });
}

/** Of everything but the version: the same content is the same version, in whatever order maps were written. */
export function definitionHash(definition: JobDefinition): Uint8Array {
  const { version: _, createTimeUs: __, archiveTimeUs: ___, ...content } = definition;
  return createHash('sha256').update(JSON.stringify(content, sortedKeys)).digest();
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
