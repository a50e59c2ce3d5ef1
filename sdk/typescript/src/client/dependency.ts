/** Converts a caller's dependencies to messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Dependency } from '../gen/muster/v1/dependency_pb.ts';
import { DependencyCondition, DependencySchema } from '../gen/muster/v1/dependency_pb.ts';
import type { JobRef } from './jobs/job-ref.ts';
import { idOf } from './jobs/job-ref.ts';
import { codeOf } from './words.ts';

/** The outcome of a job or a step that meets the dependency. */
export type DependencyWord = 'SUCCEEDED' | 'ENDED' | 'FAILED';

/** A job with an optional condition (default: SUCCEEDED), a step of a workflow, or a data asset. */
export type DependencyInit =
  | JobRef
  | { readonly job: JobRef; readonly condition?: DependencyWord }
  | { readonly workflow: JobRef; readonly step: string; readonly condition?: DependencyWord }
  /** Met by a publication after `afterTime`. Default: the time when the dependency was made. */
  | { readonly asset: string; readonly afterTime?: Date }
  | MessageInitShape<typeof DependencySchema>;

/** @throws TypeError on a condition that the contract does not have. */
export function dependency(init: DependencyInit): Dependency {
  if (typeof init === 'string' || 'jobId' in init)
    return create(DependencySchema, { on: { case: 'jobId', value: idOf(init) } });
  if ('job' in init) {
    const condition = codeOf(DependencyCondition, init.condition, 'condition');
    return create(DependencySchema, { on: { case: 'jobId', value: idOf(init.job) }, condition });
  }
  if ('workflow' in init) {
    const condition = codeOf(DependencyCondition, init.condition, 'condition');
    const value = { workflowJobId: idOf(init.workflow), step: init.step };
    return create(DependencySchema, { on: { case: 'step', value }, condition });
  }
  if (!('asset' in init)) return create(DependencySchema, init);
  const { asset: name, afterTime } = init;
  const value = { name, ...(afterTime === undefined ? {} : { afterTime: timestampFromDate(afterTime) }) };
  return create(DependencySchema, { on: { case: 'asset', value } });
}
