/** Which changes are kept in the audit record. */
import { BATCH_DEFINITION } from '../batches/batch.ts';
import type { JobDefinition } from '../definitions/definition.ts';

/**
 * Manual changes of workflows and batches are recorded. Services cancel and retry single jobs as often as they submit
 * them: a record of each would cost as much as the job.
 */
export function isRecorded({ name, workflow }: Pick<JobDefinition, 'name' | 'workflow'>): boolean {
  return workflow !== undefined || name === BATCH_DEFINITION;
}
