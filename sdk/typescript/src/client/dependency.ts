/** Converts a caller's dependencies to messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Dependency } from '../gen/muster/v1/dependency_pb.ts';
import { DependencyCondition, DependencySchema } from '../gen/muster/v1/dependency_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import type { JobRef } from './jobs/job-ref.ts';
import { idOf } from './jobs/job-ref.ts';
import { codeOf } from './words.ts';

/** The outcome of a job or a step that meets the dependency. */
export type DependencyWord = 'SUCCEEDED' | 'ENDED' | 'FAILED';

interface OnJob {
  readonly job: JobRef;
  readonly condition?: DependencyWord;
}

interface OnStep {
  readonly workflow: JobRef;
  readonly step: string;
  readonly condition?: DependencyWord;
}

interface OnAsset {
  readonly asset: string;
  /** Met by a publication after it. Default: the time when the dependency was made. */
  readonly afterTime?: Date;
}

const onJob: Known<OnJob> = { job: true, condition: true };
const onStep: Known<OnStep> = { workflow: true, step: true, condition: true };
const onAsset: Known<OnAsset> = { asset: true, afterTime: true };

/** A job with an optional condition (default: SUCCEEDED), a step of a workflow, or a data asset. */
export type DependencyInit = JobRef | OnJob | OnStep | OnAsset | MessageInitShape<typeof DependencySchema>;

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field is unknown, or on a condition that the contract does not have.
 */
export function dependency(init: DependencyInit, where = 'dependsOn'): Dependency {
  if (typeof init === 'string' || 'jobId' in init)
    return create(DependencySchema, { on: { case: 'jobId', value: idOf(init) } });
  if ('job' in init) {
    refuseUnknownOptions(where, init, onJob);
    const condition = codeOf(DependencyCondition, init.condition, 'condition');
    return create(DependencySchema, { on: { case: 'jobId', value: idOf(init.job) }, condition });
  }
  if ('workflow' in init) {
    refuseUnknownOptions(where, init, onStep);
    const condition = codeOf(DependencyCondition, init.condition, 'condition');
    const value = { workflowJobId: idOf(init.workflow), step: init.step };
    return create(DependencySchema, { on: { case: 'step', value }, condition });
  }
  if (!('asset' in init)) {
    refuseUnknownFields(where, DependencySchema, init);
    return create(DependencySchema, init);
  }
  refuseUnknownOptions(where, init, onAsset);
  const { asset: name, afterTime } = init;
  const value = { name, ...(afterTime === undefined ? {} : { afterTime: timestampFromDate(afterTime) }) };
  return create(DependencySchema, { on: { case: 'asset', value } });
}
