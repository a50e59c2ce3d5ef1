/** Planned workflows as definitions and as inputs: the input contains the script of each step. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import {
  type JobDefinition,
  JobDefinitionSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import { type WorkflowStep, WorkflowStepSchema } from '../../../sdk/typescript/src/gen/muster/v1/workflow_pb.ts';
import { failureModes, stepRoles, triggerRules } from '../../../server/domain/workflows/workflow.ts';
import type { PlannedCondition, PlannedFlow, PlannedStep } from '../scenario/flows.ts';

export function flowDefinition(flow: PlannedFlow): JobDefinition {
  const { name, failureMode, totalTimeoutMs } = flow;
  return create(JobDefinitionSchema, {
    name,
    body: { case: 'workflow', value: { steps: flow.steps.map(wireStep), failureMode: failureModes[failureMode] } },
    ...(totalTimeoutMs === undefined ? {} : { totalTimeout: durationFromMs(totalTimeoutMs) }),
  });
}

function wireStep(step: PlannedStep): WorkflowStep {
  const { name, definition, needs, rule, role, condition, loop, delayMs, expireAfterMs, cache } = step;
  return create(WorkflowStepSchema, {
    ...{ name, definition, needs: [...needs], triggerRule: triggerRules[rule], role: stepRoles[role] },
    condition: conditionText(name, condition),
    input: inputText(step),
    ...(loop ? { loop: { repeatCondition: 'output.again', ...loop } } : {}),
    ...(cache ? { cache: { maxAge: durationFromMs(cache.maxAgeMs), key: JSON.stringify(cache.key) } } : {}),
    ...fanOutOf(step),
    ...(delayMs === undefined && expireAfterMs === undefined
      ? {}
      : {
          overrides: {
            ...(delayMs === undefined ? {} : { delay: durationFromMs(delayMs) }),
            ...(expireAfterMs === undefined ? {} : { expireAfter: durationFromMs(expireAfterMs) }),
          },
        }),
  });
}

function conditionText(name: string, condition: PlannedCondition | undefined): string {
  if (!condition) return '';
  return condition.kind === 'input' ? `workflow.input.holds.${name}` : `steps.${condition.of}.state == "SUCCEEDED"`;
}

function inputText({ name, inner, fanOut, loop }: PlannedStep): string {
  if (inner) return `workflow.input.inner.${name}`;
  if (fanOut) return 'item';
  return `workflow.input.scripts.${name}[${loop ? 'iteration' : '0'}]`;
}

function fanOutOf({ name, fanOut }: PlannedStep) {
  if (!fanOut) return {};
  const { maxParallel = 0, maxFailed, successPolicy = [] } = fanOut;
  return {
    fanOut: {
      items: `workflow.input.scripts.${name}`,
      maxParallel,
      ...(maxFailed === undefined ? {} : { maxFailed }),
      successPolicy: successPolicy.map(({ indexes = [], count = 0 }) => ({
        indexes: indexes.map((span) => span.join('-')).join(),
        count,
      })),
    },
  };
}

export function flowInput({ steps }: PlannedFlow): Readonly<Record<string, unknown>> {
  const byName = (of: (step: PlannedStep) => unknown) =>
    Object.fromEntries(steps.map((step) => [step.name, of(step)] as const).filter(([, value]) => value !== undefined));
  return {
    scripts: byName(({ scripts }) => scripts),
    holds: byName(({ condition }) => (condition?.kind === 'input' ? condition.holds : undefined)),
    inner: byName(({ inner }) => inner && { owner: inner.name, ...flowInput(inner) }),
  };
}
