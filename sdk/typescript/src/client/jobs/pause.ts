/** The requests that ask a handler to stop. */
import { durationFromMs } from '../../duration.ts';
import { PausedTimeouts } from '../../gen/muster/v1/job_service_pb.ts';
import type { Known } from '../../options/known-options.ts';
import type { RequestOptions } from '../calls.ts';
import { requestOptions } from '../calls.ts';

/** How a job is cancelled. */
export interface CancelOptions extends RequestOptions {
  /**
   * Milliseconds that the handler may take, or those of the workflow's or batch's jobs; at most an hour. 0: nobody waits
   * for it, and the job is CANCELLED at once. Default: each definition's `cancelGraceMs`.
   */
  readonly graceMs?: number;
}

export const cancelOptions: Known<CancelOptions> = { ...requestOptions, graceMs: true };

/** How a job is paused. */
export interface PauseOptions extends RequestOptions {
  /**
   * Also pauses a job that runs: its handler is asked to stop, and the attempt does not count; and a workflow or a batch
   * that has begun, with its jobs. Default: such a job is refused.
   */
  readonly running?: boolean;
  /**
   * Milliseconds that the handler may take, or those of the workflow's or batch's jobs; at most an hour. Default: each
   * definition's `cancelGraceMs`.
   */
  readonly graceMs?: number;
  /** The total timeout stops meanwhile, and starts anew when the job is resumed. Default: it runs on. */
  readonly stopTimeouts?: boolean;
}

export const pauseOptions: Known<PauseOptions> = {
  ...requestOptions,
  running: true,
  graceMs: true,
  stopTimeouts: true,
};

export function pauseRequest(
  target: { readonly namespace: string; readonly jobId: string },
  reason: string,
  options: PauseOptions,
) {
  const { requestId = '' } = options;
  return { ...target, reason, requestId, ...pauseFields(options) };
}

export function pauseFields({ running = false, graceMs, stopTimeouts }: PauseOptions) {
  const timeouts = stopTimeouts ? PausedTimeouts.STOP : PausedTimeouts.UNSPECIFIED;
  return { running, timeouts, ...graceField(graceMs) };
}

export function graceField(graceMs: number | undefined): { readonly grace?: ReturnType<typeof durationFromMs> } {
  return graceMs === undefined ? {} : { grace: durationFromMs(graceMs) };
}
