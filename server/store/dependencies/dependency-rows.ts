/** Dependencies as rows. */
import { type Condition, conditions, dependencyKinds } from '../../domain/dependencies/dependencies.ts';
import type { StoredDependency } from '../../engine/ports/dependencies.ts';
import type { Filled, RowType, RowWith } from '../driver/row-types.ts';

export const dependencyRowType = {
  job_id: 'uuid',
  number: 'int2',
  target_id: 'uuid',
  kind: 'int2',
  condition: 'int2',
  after_time: 'timestamptz',
  workflow_job_id: 'uuid?',
  step: 'int2?',
  name: 'text?',
} satisfies RowType;

export const conditionNames = new Map<number, Condition>(
  Object.entries(conditions).map(([name, code]) => [code, name as Condition]),
);

export function dependencyOf(row: RowWith<typeof dependencyRowType>): StoredDependency {
  const { job_id: jobId, number } = row;
  const condition = conditionNames.get(row.condition) as Condition;
  switch (row.kind) {
    case dependencyKinds.JOB:
      return { jobId, number, condition, on: { kind: 'JOB', jobId: row.target_id } };
    case dependencyKinds.STEP: {
      const { workflow_job_id: workflowJobId, name: step, step: at } = row as Filled<typeof row>;
      return { jobId, number, condition, on: { kind: 'STEP', workflowJobId, step, number: at } };
    }
    default:
      return { jobId, number, condition, on: { kind: 'ASSET', name: row.name as string, afterUs: row.after_time } };
  }
}
