/** Attempts as the engine and the store speak of them. */
import type { Payload } from '../../domain/base/payload.ts';

/** An attempt that has been closed with a result. */
export interface CompletedAttempt extends AttemptKey {
  readonly laneId: number;
  readonly assignTimeUs: number;
  readonly limitId: string | undefined;
  /** Somebody is told of its end: jobs depend on it, or it publishes assets. */
  readonly notifiesDependents: boolean;
  /** The workflow's job, if it is of a step. */
  readonly parentJobId?: string | undefined;
}

/** An attempt that a session holds according to the store. */
export interface HeldRun extends AttemptKey {
  readonly laneId: number;
  readonly state: 'ASSIGNED' | 'RUNNING' | 'CANCELLING';
  readonly creditId: number;
  readonly assignTimeUs: number;
}

/** An attempt whose result is to be checked, with the lane that says by which definition. */
export interface UncheckedAttempt extends AttemptKey {
  readonly laneId: number;
}

export interface ProgressChange extends AttemptKey {
  readonly sequence: number;
  readonly fraction: number | undefined;
  readonly message: string | undefined;
  /** All that the handler has asked for beyond its run timeout, in ms. */
  readonly extensionMs?: number | undefined;
  readonly checkpoint: Payload | undefined;
}

/** How an attempt that is no longer open was closed. */
export interface ClosedRecord {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly outcome: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'SUSPENDED' | 'OTHER';
  /** Without a result or a failure. STOPPED: as it was asked to, in whatever words it said so. */
  readonly givenBack: 'RELEASED' | 'ABORTED' | 'STOPPED' | undefined;
  readonly result: Payload | undefined;
  /** JSON text as `failureText` makes it. */
  readonly failure: string | undefined;
}

export interface AttemptKey {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
}

/** A report that an attempt returned a result. */
export interface Completion {
  readonly jobId: string;
  readonly attempt: number;
  readonly sessionId: string;
  readonly result: Payload;
}
