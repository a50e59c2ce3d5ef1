/** Converts the external dependencies of steps between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import { StepDependencySchema, type StepDependency as WireStepDependency } from '@muster/sdk/gen/muster/v1/workflow_pb';
import { namesOf } from '../../domain/base/codes.ts';
import { conditions, MAX_DEPENDENCIES } from '../../domain/dependencies/dependencies.ts';
import type { StepDependency } from '../../domain/workflows/workflow.ts';
import { STEP_NAME } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

const conditionOf = namesOf(conditions);

/** `path`: that of the list. Undefined: no dependencies. */
export function aftersFrom(
  wire: readonly WireStepDependency[],
  path: string,
  violations: Violations,
): readonly StepDependency[] | undefined {
  if (wire.length === 0) return undefined;
  violations.check(
    wire.length <= MAX_DEPENDENCIES,
    path,
    `has ${wire.length} entries; at most ${MAX_DEPENDENCIES} are allowed: a step before can wait for more`,
  );
  return wire.slice(0, MAX_DEPENDENCIES).flatMap((one, i) => afterFrom(one, `${path}[${i}]`, violations) ?? []);
}

function afterFrom(wire: WireStepDependency, path: string, violations: Violations): StepDependency | undefined {
  const condition = wire.condition === 0 ? 'SUCCEEDED' : conditionOf(wire.condition);
  violations.check(condition !== undefined, `${path}.condition`, `has the unknown value ${wire.condition}`);
  const on = onFrom(wire.on, path, violations);
  violations.check(
    !(on?.kind === 'ASSET' && wire.condition !== 0),
    `${path}.condition`,
    'has no meaning for an asset, which is met by a publication; leave it out',
  );
  return on && { on, condition: condition ?? 'SUCCEEDED' };
}

function onFrom(on: WireStepDependency['on'], path: string, violations: Violations): StepDependency['on'] | undefined {
  switch (on.case) {
    case 'jobId':
      return { kind: 'JOB', jobId: on.value };
    case 'step': {
      const { workflowJobId, step } = on.value;
      violations.check(
        STEP_NAME.test(step),
        `${path}.step.step`,
        'is not a step name: write the name, not an expression',
      );
      return { kind: 'STEP', workflowJobId, step };
    }
    case 'asset':
      return { kind: 'ASSET', name: on.value };
    default:
      violations.add(path, 'is missing: set job_id, step or asset');
      return undefined;
  }
}

/** With defaults filled in. */
export function afterTo({ on, condition }: StepDependency): WireStepDependency {
  switch (on.kind) {
    case 'JOB':
      return create(StepDependencySchema, {
        on: { case: 'jobId', value: on.jobId },
        condition: conditions[condition],
      });
    case 'STEP':
      return create(StepDependencySchema, {
        on: { case: 'step', value: { workflowJobId: on.workflowJobId, step: on.step } },
        condition: conditions[condition],
      });
    case 'ASSET':
      return create(StepDependencySchema, { on: { case: 'asset', value: on.name } });
  }
}
