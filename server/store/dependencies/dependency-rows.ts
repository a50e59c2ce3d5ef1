/** Dependencies as rows. */
import { type Condition, conditions, dependencyKinds } from '../../domain/dependencies/dependencies.ts';
import type { StoredDependency } from '../../engine/ports/dependencies.ts';
import type { Row } from '../driver/database.ts';

export const conditionNames = new Map<number, Condition>(
  Object.entries(conditions).map(([name, code]) => [code, name as Condition]),
);

export function dependencyOf(row: Row): StoredDependency {
  const { job_id: jobId, number } = row;
  const condition = conditionNames.get(row.condition) as Condition;
  switch (row.kind) {
    case dependencyKinds.JOB:
      return { jobId, number, condition, on: { kind: 'JOB', jobId: row.target_id } };
    case dependencyKinds.STEP: {
      const { workflow_job_id: workflowJobId, name: step } = row;
      return { jobId, number, condition, on: { kind: 'STEP', workflowJobId, step, number: row.step } };
    }
    default:
      return { jobId, number, condition, on: { kind: 'ASSET', name: row.name, afterUs: row.after_time } };
  }
}
