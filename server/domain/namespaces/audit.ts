/** What people do by hand that is kept on record. */

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
