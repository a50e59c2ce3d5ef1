/** What people see of workers. */
import type { SessionEnd } from '../domain/decide.ts';
import type { SessionRow } from './store-port.ts';

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
  readonly progress: { readonly fraction: number; readonly message: string } | undefined;
}

/** Sessions whose leases are over, and those that are being closed. */
export interface Lapse {
  readonly lapsed: readonly { readonly sessionId: string; readonly leaseUntilUs: number }[];
  readonly closing: readonly { readonly sessionId: string; readonly how: SessionEnd }[];
  readonly open: number;
  readonly nowUs: number;
}
