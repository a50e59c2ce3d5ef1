/** Which changes are kept on record. */
import { BATCH_DEFINITION } from '../batches/batch.ts';
import type { JobDefinition } from '../definitions/definition.ts';

/**
 * Of jobs that stand for others, what is done by hand is on record. Single jobs are cancelled and retried by services, as often as they
 * are submitted: a record of each would cost as much as the job.
 */
export function isRecorded({ name, workflow }: Pick<JobDefinition, 'name' | 'workflow'>): boolean {
  return workflow !== undefined || name === BATCH_DEFINITION;
}
