/** Converts the bodies of workflows between the contract and the core. */
import { setImmediate } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import {
  CompensationSchema,
  LoopSchema,
  StepCacheSchema,
  type WorkflowBody as WireBody,
  type StepCache as WireCache,
  type Compensation as WireCompensation,
  type Loop as WireLoop,
  type WorkflowStep as WireStep,
  WorkflowBodySchema,
  WorkflowStepSchema,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { namesOf } from '../../domain/base/codes.ts';
import { workflowProblems } from '../../domain/workflows/checks/validate.ts';
import {
  type Compensation,
  failureModes,
  type Loop,
  MAX_ITERATIONS,
  MAX_NEEDS,
  MAX_PREFIXES,
  MAX_STEPS,
  type StepCache,
  stepRoles,
  triggerRules,
  type Workflow,
  type WorkflowStep,
} from '../../domain/workflows/workflow.ts';
import { checkDottedName, checkRange, durationMs, STEP_NAME, TEN_YEARS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { fanOutFrom, fanOutTo } from './convert-fan-out.ts';
import { dependencyExpressionTo, dependsOnFrom } from './convert-step-dependency.ts';
import { overridesFrom, overridesTo } from './convert-step-overrides.ts';

const BODY = 'definition.workflow';
/** Words that CEL refuses as field names after a dot. */
const RESERVED = ['in', 'true', 'false', 'null'];

const roleOf = namesOf(stepRoles);
const ruleOf = namesOf(triggerRules);
const modeOf = namesOf(failureModes);

function coded<T extends string>(
  nameOf: (code: number) => T | undefined,
  code: number,
  usual: T,
  field: string,
  violations: Violations,
): T {
  const found = code === 0 ? usual : nameOf(code);
  violations.check(found !== undefined, field, `has the unknown value ${code}`);
  return found ?? usual;
}

/** Adds all violations. Yields to other calls meanwhile, since a workflow may have 10,000 steps. */
export async function workflowFrom(wire: WireBody, violations: Violations): Promise<Workflow> {
  const failureMode = coded(modeOf, wire.failureMode, 'FAIL_FAST', `${BODY}.failure_mode`, violations);
  const count = wire.steps.length;
  if (!violations.check(count <= MAX_STEPS, `${BODY}.steps`, `has ${count} entries; at most ${MAX_STEPS} are allowed`))
    return { steps: [], failureMode };
  const steps = wire.steps.map((step, i) => stepFrom(step, `${BODY}.steps[${i}]`, violations));
  const workflow = { steps, ...(wire.output ? { output: wire.output } : {}), failureMode };
  const problems = workflowProblems(workflow, BODY);
  let found = problems.next();
  for (; !found.done; found = problems.next()) await setImmediate();
  for (const { field, reason } of found.value) violations.add(field, reason);
  return workflow;
}

function stepFrom(wire: WireStep, field: string, violations: Violations): WorkflowStep {
  checkStepName(wire.name, `${field}.name`, violations);
  checkDottedName(wire.definition, `${field}.definition`, violations);
  checkRange(wire.definitionVersion, 0, 2 ** 31 - 1, `${field}.definition_version`, violations);
  const { length } = wire.needs;
  violations.check(
    length <= MAX_NEEDS,
    `${field}.needs`,
    `has ${length} entries; at most ${MAX_NEEDS} are allowed. Put a step between`,
  );
  const needsPrefixes = prefixesFrom(wire.needsPrefixes, `${field}.needs_prefixes`, violations);
  const overrides = overridesFrom(wire.overrides, `${field}.overrides`, violations);
  const dependsOn = dependsOnFrom(wire.dependsOn, `${field}.depends_on`, violations);
  return {
    name: wire.name,
    definition: wire.definition,
    definitionVersion: wire.definitionVersion,
    needs: wire.needs.slice(0, MAX_NEEDS),
    ...(needsPrefixes ? { needsPrefixes } : {}),
    rule: coded(ruleOf, wire.triggerRule, 'ALL_SUCCESS', `${field}.trigger_rule`, violations),
    role: coded(roleOf, wire.role, 'NORMAL', `${field}.role`, violations),
    ...(wire.countsItems ? { countsItems: true as const } : {}),
    ...(wire.condition ? { condition: wire.condition } : {}),
    ...(wire.input ? { input: wire.input } : {}),
    ...(wire.fanOut ? { fanOut: fanOutFrom(wire.fanOut, `${field}.fan_out`, violations) } : {}),
    ...(wire.loop ? { loop: loopFrom(wire.loop, `${field}.loop`, violations) } : {}),
    ...(overrides ? { overrides } : {}),
    ...(wire.compensation
      ? { compensation: compensationFrom(wire.compensation, `${field}.compensation`, violations) }
      : {}),
    ...(wire.cache ? { cache: cacheFrom(wire.cache, `${field}.cache`, violations) } : {}),
    ...(dependsOn ? { dependsOn } : {}),
  };
}

function prefixesFrom(wire: readonly string[], field: string, violations: Violations): readonly string[] | undefined {
  const { length } = wire;
  violations.check(length <= MAX_PREFIXES, field, `has ${length} entries; at most ${MAX_PREFIXES} are allowed`);
  return length > 0 ? wire.slice(0, MAX_PREFIXES) : undefined;
}

function checkStepName(name: string, field: string, violations: Violations): void {
  const isRight = violations.check(
    STEP_NAME.test(name),
    field,
    'must be 1 to 63 characters of a-z, 0-9 and "_", beginning with a letter, so that expressions can name it',
  );
  if (isRight)
    violations.check(
      !RESERVED.includes(name),
      field,
      `is ${name}, which expressions can not name; choose another name`,
    );
}

function loopFrom(wire: WireLoop, field: string, violations: Violations): Loop {
  checkRange(wire.maxIterations, 1, MAX_ITERATIONS, `${field}.max_iterations`, violations);
  return { repeatCondition: wire.repeatCondition, maxIterations: wire.maxIterations };
}

function compensationFrom(wire: WireCompensation, field: string, violations: Violations): Compensation {
  const { definition, definitionVersion, input } = wire;
  checkDottedName(definition, `${field}.definition`, violations);
  checkRange(definitionVersion, 0, 2 ** 31 - 1, `${field}.definition_version`, violations);
  return { definition, definitionVersion, ...(input ? { input } : {}) };
}

function cacheFrom({ maxAge, key }: WireCache, field: string, violations: Violations): StepCache {
  const place = `${field}.max_age`;
  violations.check(maxAge !== undefined, place, 'is not set; set the maximum age of a reused result, at least 1 s');
  const maxAgeMs = durationMs(maxAge, 1_000, TEN_YEARS_MS, place, violations) ?? 0;
  return { maxAgeMs, ...(key ? { key } : {}) };
}

/** With defaults filled in. */
export function workflowTo({ steps, output, failureMode }: Workflow): WireBody {
  return create(WorkflowBodySchema, {
    steps: steps.map(stepTo),
    output: output ?? '',
    failureMode: failureModes[failureMode],
  });
}

function stepTo(step: WorkflowStep): WireStep {
  return create(WorkflowStepSchema, {
    name: step.name,
    definition: step.definition,
    needs: [...step.needs],
    needsPrefixes: [...(step.needsPrefixes ?? [])],
    definitionVersion: step.definitionVersion,
    triggerRule: triggerRules[step.rule],
    countsItems: step.countsItems ?? false,
    condition: step.condition ?? '',
    input: step.input ?? '',
    ...(step.fanOut ? { fanOut: fanOutTo(step.fanOut) } : {}),
    ...(step.loop ? { loop: create(LoopSchema, step.loop) } : {}),
    role: stepRoles[step.role],
    ...(step.overrides ? { overrides: overridesTo(step.overrides) } : {}),
    ...(step.compensation ? { compensation: create(CompensationSchema, step.compensation) } : {}),
    ...(step.cache ? { cache: cacheTo(step.cache) } : {}),
    ...(step.dependsOn ? { dependsOn: step.dependsOn.map(dependencyExpressionTo) } : {}),
  });
}

function cacheTo({ maxAgeMs, key }: StepCache): WireCache {
  return create(StepCacheSchema, { maxAge: durationTo(maxAgeMs), key: key ?? '' });
}
