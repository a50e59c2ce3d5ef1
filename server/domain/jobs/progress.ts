/** Progress that a handler reports, and when it may be complete. */

import type { JobState } from './job-state.ts';

/** Units that a handler counts. */
export interface ProgressCounts {
  readonly done: number;
  /** Undefined: not known. */
  readonly total: number | undefined;
  /** Empty: not said. */
  readonly unit: string;
}

/** The latest counts of an attempt, with its first one. */
export interface StoredCounts extends ProgressCounts {
  readonly timeUs: number;
  readonly first: { readonly done: number; readonly timeUs: number };
}

export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string;
  /** Undefined: it counts nothing. */
  readonly counts?: StoredCounts | undefined;
}

export function fractionOf({ done, total }: Pick<ProgressCounts, 'done' | 'total'>): number | undefined {
  if (total === undefined) return undefined;
  return total === 0 ? 1 : Math.min(1, done / total);
}

/** Longest time left that is shown: a pace says nothing about decades. */
const MAX_LEFT_US = 10 * 365 * 86_400_000_000;

/** When all units are done at the pace from the first count to the latest. Undefined: no pace yet, or over ten years. */
export function estimatedEndUs({ done, total, timeUs, first }: StoredCounts): number | undefined {
  if (total === undefined || done >= total || done <= first.done || timeUs <= first.timeUs) return undefined;
  const perUnitUs = (timeUs - first.timeUs) / (done - first.done);
  const leftUs = (total - done) * perUnitUs;
  return leftUs <= MAX_LEFT_US ? Math.round(timeUs + leftUs) : undefined;
}

/** Whether the handler runs and was not asked to stop: only then its pace says when it is done. */
export function mayRunToItsEnd(job: { readonly state: JobState; readonly suspendTimeUs: number | undefined }): boolean {
  return job.state === 'RUNNING' && job.suspendTimeUs === undefined;
}
