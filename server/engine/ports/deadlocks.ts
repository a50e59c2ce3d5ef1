/** What the engine and the store tell each other of handlers that wait for jobs by calls, and of what those wait for in turn. */
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { StoredDependency } from './dependencies.ts';

/** A call that is open: the handler of one job waits for another one's end. */
export interface HandlerWait {
  readonly waitId: string;
  readonly namespace: string;
  /** Whose handler waits. */
  readonly jobId: string;
  readonly targetJobId: string;
}

/** A job that a worker has, whose handler waits. */
export interface WaitingHandler {
  readonly jobId: string;
  readonly targetJobIds: readonly string[];
  readonly state: JobState;
  readonly laneId: number;
  readonly limitId: string | undefined;
  readonly sessionId: string;
  readonly workerName: string;
}

/** An open job that somebody waits for. */
export interface AwaitedJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly laneId: number;
  /** Of its last attempt; 0: there was none. */
  readonly attempt: number;
  /** Of its key for a key limit. */
  readonly limitId: string | undefined;
  readonly dependencies: readonly StoredDependency[];
}

export interface OpenChild {
  readonly parentJobId: string;
  readonly jobId: string;
}

/** Each is one or two statements of bounded cost. */
export interface DeadlockStore {
  /** Those whose waiting job no worker has in that namespace are left out. One that is there gets a new lease. */
  saveHandlerWaits(waits: readonly HandlerWait[], leaseMs: number): Promise<void>;
  dropHandlerWaits(waitIds: readonly string[]): Promise<void>;
  /** With `limit` waits at the most, and of each job all that it waits for or nothing. `isCut`: there are more. */
  readWaitingHandlers(
    namespace: string,
    limit: number,
  ): Promise<{ readonly handlers: readonly WaitingHandler[]; readonly isCut: boolean }>;
  /** Of those that are open. */
  readAwaitedJobs(jobIds: readonly string[]): Promise<AwaitedJob[]>;
  /** At most `limit` in all, in no order that says which parents' are missing. Those that were asked to stop are left out. */
  readOpenChildren(jobIds: readonly string[], limit: number): Promise<OpenChild[]>;
}
