/** What people did by hand, as it is kept and shown. */
import type { NewAuditRecord } from '../../domain/namespaces/audit.ts';
import type { WrittenStep } from './workflows.ts';

/** What somebody does by hand as a job is made: stored with it, if it is a new one. */
export interface ManualChange {
  readonly records: readonly NewAuditRecord[];
  /** Steps that the new workflow skips as it starts: they wait, with the reason. */
  readonly steps: readonly WrittenStep[];
}

/** A call that stores a job, and what is done with it by hand. Left out: nothing. */
export interface ManualCall {
  readonly manual?: ManualChange | undefined;
}

export interface AuditRecord extends NewAuditRecord {
  readonly recordTimeUs: number;
}

export interface AuditQuery {
  readonly namespace: string;
  /** Undefined: of all jobs. */
  readonly jobId: string | undefined;
  /** The last record of the page before; undefined for the first. */
  readonly beforeAuditId: string | undefined;
  readonly limit: number;
}
