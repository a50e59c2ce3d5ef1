/** Manual actions that are kept in the audit record. */

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
  /** The part of the job that was changed; empty: all of it. */
  readonly subject: string;
}
