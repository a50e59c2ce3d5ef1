/** Converts the external dependencies of steps between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  DependencyExpressionSchema,
  type DependencyExpression as WireExpression,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { namesOf } from '../../domain/base/codes.ts';
import { conditions, MAX_DEPENDENCIES } from '../../domain/dependencies/dependencies.ts';
import type { DependencyExpression } from '../../domain/workflows/workflow.ts';
import { STEP_NAME } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

const conditionOf = namesOf(conditions);

/** `path`: that of the list. Undefined: no dependencies. */
export function dependsOnFrom(
  wire: readonly WireExpression[],
  path: string,
  violations: Violations,
): readonly DependencyExpression[] | undefined {
  if (wire.length === 0) return undefined;
  violations.check(
    wire.length <= MAX_DEPENDENCIES,
    path,
    `has ${wire.length} entries; at most ${MAX_DEPENDENCIES} are allowed: a step before can wait for more`,
  );
  return wire
    .slice(0, MAX_DEPENDENCIES)
    .flatMap((one, i) => dependencyExpressionFrom(one, `${path}[${i}]`, violations) ?? []);
}

function dependencyExpressionFrom(
  wire: WireExpression,
  path: string,
  violations: Violations,
): DependencyExpression | undefined {
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

function onFrom(
  on: WireExpression['on'],
  path: string,
  violations: Violations,
): DependencyExpression['on'] | undefined {
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
export function dependencyExpressionTo({ on, condition }: DependencyExpression): WireExpression {
  switch (on.kind) {
    case 'JOB':
      return create(DependencyExpressionSchema, {
        on: { case: 'jobId', value: on.jobId },
        condition: conditions[condition],
      });
    case 'STEP':
      return create(DependencyExpressionSchema, {
        on: { case: 'step', value: { workflowJobId: on.workflowJobId, step: on.step } },
        condition: conditions[condition],
      });
    case 'ASSET':
      return create(DependencyExpressionSchema, { on: { case: 'asset', value: on.name } });
  }
}
