/** Namespaces: their settings, and manual changes as stored and shown. */
import type { NewAuditRecord } from '../../domain/namespaces/audit.ts';
import type { WrittenStep } from './workflows.ts';

/** A manual change that makes a job: stored with the job, if it is new. */
export interface ManualChange {
  readonly records: readonly NewAuditRecord[];
  /** Steps that the new workflow must skip: stored as WAITING, with the reason. */
  readonly steps: readonly WrittenStep[];
}

/** A call that stores a job. Undefined: without a manual change. */
export interface ManualCall {
  readonly manual?: ManualChange | undefined;
}

export interface AuditRecord extends NewAuditRecord {
  readonly recordTimeUs: number;
}

export interface AuditQuery {
  readonly namespace: string;
  /** Undefined: records of all jobs. */
  readonly jobId: string | undefined;
  /** The last record of the page before; undefined for the first page. */
  readonly beforeAuditId: string | undefined;
  readonly limit: number;
}

/** Settings of namespaces, and the records of manual changes. */
export interface NamespaceStore {
  insertAudits(records: readonly NewAuditRecord[]): Promise<void>;
  /** Manual changes, newest first. */
  readonly listAudit: (query: AuditQuery) => Promise<AuditRecord[]>;
  /** The namespace's retention of ended jobs whose definition sets none, in ms; undefined: the default. */
  readRetention(namespace: string): Promise<number | undefined>;
  /**
   * Of the namespace, or of a definition, whose newest version's applies to the jobs of all versions. Undefined: the
   * default.
   */
  setRetention(namespace: string, retentionMs: number | undefined, definition?: string): Promise<void>;
}
