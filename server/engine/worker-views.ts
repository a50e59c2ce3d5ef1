/** What people see of workers. */
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
