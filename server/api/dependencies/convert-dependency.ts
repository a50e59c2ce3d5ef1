/** Converts dependencies and data assets between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import { AssetSchema, type Asset as WireAsset } from '@muster-jobs/sdk/gen/muster/v1/asset_pb';
import { DependencyCondition, type Dependency as WireDependency } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import type { ParentAttempt as WireParent } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { isUuid } from '../../domain/base/uuid.ts';
import {
  type Condition,
  type Dependency,
  type DependsOn,
  MAX_DEPENDENCIES,
} from '../../domain/dependencies/dependencies.ts';
import type { Asset, ParentAttempt } from '../../engine/ports/dependencies.ts';
import { checkDottedName, jobIdOf, STEP_NAME, timestampUs } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const conditions: Readonly<Record<DependencyCondition, Condition>> = {
  [DependencyCondition.UNSPECIFIED]: 'SUCCEEDED',
  [DependencyCondition.SUCCEEDED]: 'SUCCEEDED',
  [DependencyCondition.ENDED]: 'ENDED',
  [DependencyCondition.FAILED]: 'FAILED',
};

/** `path`: that of the list. Undefined: no dependencies. */
export function dependenciesFrom(
  wire: readonly WireDependency[],
  path: string,
  violations: Violations,
): readonly Dependency[] | undefined {
  if (wire.length === 0) return undefined;
  violations.check(
    wire.length <= MAX_DEPENDENCIES,
    path,
    `has ${wire.length} entries; at most ${MAX_DEPENDENCIES} are allowed: a job in between can wait for more`,
  );
  return wire.slice(0, MAX_DEPENDENCIES).flatMap((one, i) => dependencyFrom(one, `${path}[${i}]`, violations) ?? []);
}

function dependencyFrom(wire: WireDependency, path: string, violations: Violations): Dependency | undefined {
  const condition = conditions[wire.condition];
  if (!condition) violations.add(`${path}.condition`, `has the unknown value ${wire.condition}`);
  const on = onFrom(wire.on, path, violations);
  const isSaid = wire.condition !== DependencyCondition.UNSPECIFIED;
  violations.check(
    !(on?.kind === 'ASSET' && isSaid),
    `${path}.condition`,
    'has no meaning for an asset, which is met by a publication; leave it out',
  );
  return on && { on, condition: condition ?? 'SUCCEEDED' };
}

function onFrom(on: WireDependency['on'], path: string, violations: Violations): DependsOn | undefined {
  switch (on.case) {
    case 'jobId':
      return { kind: 'JOB', jobId: jobIdOf(on.value, violations, `${path}.job_id`) };
    case 'step': {
      const workflowJobId = jobIdOf(on.value.workflowJobId, violations, `${path}.step.workflow_job_id`);
      violations.check(
        STEP_NAME.test(on.value.step),
        `${path}.step.step`,
        'is not a step name; GetWorkflow and ListWorkflowSteps return the names',
      );
      return { kind: 'STEP', workflowJobId, step: on.value.step };
    }
    case 'asset': {
      checkDottedName(on.value.name, `${path}.asset.name`, violations);
      const afterUs = timestampUs(on.value.afterTime, `${path}.asset.after_time`, violations);
      return { kind: 'ASSET', name: on.value.name, afterUs };
    }
    default:
      violations.add(path, 'is missing: set job_id, step or asset');
      return undefined;
  }
}

/** Undefined: not submitted by a handler. */
export function parentFrom(wire: WireParent | undefined, violations: Violations): ParentAttempt | undefined {
  if (!wire) return undefined;
  const jobId = jobIdOf(wire.jobId, violations, 'parent.job_id');
  violations.check(wire.attempt >= 1, 'parent.attempt', `is ${wire.attempt}; attempts are counted from 1`);
  violations.check(isUuid(wire.sessionId), 'parent.session_id', 'must be the UUID of the session that has the attempt');
  return { jobId, attempt: wire.attempt, sessionId: wire.sessionId.toLowerCase(), detached: wire.detached };
}

const MAX_PUBLISHED = 20;

/** Names of the assets that a definition's jobs publish. */
export function publishesFrom(names: readonly string[], violations: Violations): { publishes?: readonly string[] } {
  const field = 'definition.publishes';
  violations.check(
    names.length <= MAX_PUBLISHED,
    field,
    `has ${names.length} entries; at most ${MAX_PUBLISHED} are allowed`,
  );
  for (const [i, name] of names.slice(0, MAX_PUBLISHED).entries()) {
    checkDottedName(name, `${field}[${i}]`, violations);
    violations.check(names.indexOf(name) === i, `${field}[${i}]`, `repeats "${name}"; name each asset once`);
  }
  return names.length > 0 ? { publishes: [...names] } : {};
}

export function assetTo(asset: Asset): WireAsset {
  const { namespace, name, version, publishTimeUs, jobId } = asset;
  const publishTime = timestampTo(publishTimeUs);
  return create(AssetSchema, {
    namespace,
    name,
    version: BigInt(version),
    jobId,
    ...(publishTime ? { publishTime } : {}),
  });
}
