/** What people do by hand that is kept on record. */
import { BATCH_DEFINITION } from './batch.ts';
import type { JobDefinition } from './definition.ts';

/** The same numbers as `AuditAction` in the contract; stored by name. */
export const auditActions = {
  ERASE_JOB: 1,
  SKIP_STEP: 2,
  RETRY_BATCH: 3,
  CANCEL_JOB: 4,
  RETRY_JOB: 5,
  SEAL_BATCH: 6,
} as const;
export type AuditAction = keyof typeof auditActions;

export interface NewAuditRecord {
  readonly auditId: string;
  readonly action: AuditAction;
  readonly namespace: string;
  readonly jobId: string;
  readonly reason: string;
  /** What of the job it was done to; empty: all of it. */
  readonly subject: string;
}

/**
 * Of jobs that stand for others, what is done by hand is on record. Single jobs are cancelled and retried by services, as often as they
 * are submitted: a record of each would cost as much as the job.
 */
export function isRecorded({ name, workflow }: Pick<JobDefinition, 'name' | 'workflow'>): boolean {
  return workflow !== undefined || name === BATCH_DEFINITION;
}
