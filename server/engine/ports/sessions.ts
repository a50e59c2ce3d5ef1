/** Sessions and workers, as passed between engine and store. */

import type { Handler } from '../../domain/dispatch/placement.ts';
import type { SessionEnd } from '../../domain/jobs/decide.ts';
import type { Progress } from '../../domain/jobs/progress.ts';

export interface WorkerView extends SessionRow {
  /** Attempts it holds. */
  readonly held: number;
}

/** An attempt that a worker holds. */
export interface HeldJob {
  readonly jobId: string;
  readonly definition: string;
  readonly attempt: number;
  readonly state: 'ASSIGNED' | 'RUNNING' | 'CANCELLING';
  readonly assignTimeUs: number;
  /** Its handler was asked to stop until then. */
  readonly suspendTimeUs: number | undefined;
  readonly progress: Progress | undefined;
}

/** Sessions with an expired lease, and CLOSING ones. */
export interface Lapse {
  /** OPEN sessions whose lease lapsed, the longest ago first; at most 1,000. */
  readonly lapsed: readonly { readonly sessionId: string; readonly leaseUntilUs: number }[];
  /** All of them. */
  readonly lapsedCount: number;
  /** OPEN sessions, the lapsed ones included. */
  readonly openCount: number;
  readonly nowUs: number;
  /** When the last of their leases ends. */
  readonly latestLeaseUs: number | undefined;
}

export interface ClosingSession {
  readonly sessionId: string;
  readonly how: SessionEnd;
}

export interface ClosingSessions {
  /** At most 1,000. */
  readonly closing: readonly ClosingSession[];
  readonly hasMore: boolean;
}

/** When a session beats, and for how long it lives without. */
export interface SessionTimes {
  /** Default 5,000. */
  readonly beatMs: number;
  /** Default 15,000. */
  readonly leaseMs: number;
}

export interface NewSession {
  readonly sessionId: string;
  readonly namespace: string;
  readonly workerName: string;
  /** The lease counts from the later one of this time, by the replica's own clock, and the database's. */
  readonly nowUs: number;
  readonly leaseMs: number;
  readonly slots: number;
  readonly handlers: readonly Handler[];
  readonly labels: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, number>>;
  readonly sdk: { readonly name: string; readonly version: string; readonly language: string };
  readonly requestId?: string | undefined;
}

export interface SessionRow extends Omit<NewSession, 'nowUs' | 'leaseMs' | 'requestId'> {
  readonly state: 'OPEN' | 'CLOSING' | 'CLOSED';
  readonly leaseUntilUs: number;
  readonly beatTimeUs: number;
  readonly openTimeUs: number;
  readonly beats: number;
  readonly pingEcho: number;
  /** It takes no more jobs: at its own or somebody else's request. */
  readonly draining: boolean;
  /** Somebody requested the drain. */
  readonly drainWanted: boolean;
}

export interface Beat {
  readonly sessionId: string;
  readonly pingEcho: number;
  readonly draining: boolean;
}

/** The changes by a heartbeat; there are none for a session that is not open. */
export interface Renewal {
  readonly sessionId: string;
  readonly beats: number;
  readonly pingEcho: number;
  /** Time of the previous heartbeat. */
  readonly previousBeatUs: number;
  /** Time of this one. */
  readonly beatUs: number;
  readonly draining: boolean;
  readonly drainWanted: boolean;
}

/** Sessions, as they live and as callers see them. */
export interface SessionStore {
  /** Undefined: a session was opened with the same request id before. */
  insertSession(session: NewSession): Promise<SessionRow | undefined>;
  /** The session that was opened with this request id. */
  findSession(namespace: string, requestId: string): Promise<SessionRow | undefined>;
  /**
   * `nowUs`: the time by the replica's own clock. A lease that ends long after it is set anew. `leaseMs`: for sessions
   * that an older release opened; all others keep their own.
   */
  renewSessions(beats: readonly Beat[], leaseMs: number, nowUs: number): Promise<Renewal[]>;
  readSessions(sessionIds: readonly string[]): Promise<SessionRow[]>;
  /**
   * OPEN sessions become CLOSING; with `lapsedForMs` only those whose lease, read under the lock, ended that long ago.
   * No time after `latestUs` counts as the present one.
   */
  closeSessions(
    sessionIds: readonly string[],
    how: SessionEnd,
    lapsedForMs?: number,
    latestUs?: number,
  ): Promise<string[]>;
  /** CLOSING sessions without attempts become CLOSED. */
  endSessions(sessionIds: readonly string[]): Promise<string[]>;
  /** No time after `latestUs` counts as the present one. */
  readLapsed(latestUs: number): Promise<Lapse>;
  /** Leases that end more than two leases from now end one lease from now, as `renewSessions`. Returns the sessions' ids. */
  shortenLeases(leaseMs: number, nowUs: number): Promise<string[]>;
  readClosing(): Promise<ClosingSessions>;
  listSessions(namespace: string, afterSessionId: string, limit: number): Promise<WorkerView[]>;
  readWorker(namespace: string, sessionId: string): Promise<WorkerView | undefined>;
  /** Attempts held by a session, held longest first. */
  readHeldJobs(sessionId: string, limit: number): Promise<HeldJob[]>;
  /** Once it resolves, nothing more is assigned to the session. No effect unless the session is open. */
  drainSession(namespace: string, sessionId: string): Promise<void>;
}

export interface SessionTransactions {
  /** Opens the session, or returns the one that the same request id opened before. */
  openSession(session: NewSession): Promise<SessionRow>;
}
