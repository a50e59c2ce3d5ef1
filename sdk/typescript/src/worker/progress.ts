/** Progress that a handler reports. */
import type { Progress } from '../gen/muster/v1/job_pb.ts';

const [MAX_MESSAGE, MAX_UNIT] = [256, 32];

/** What a handler has done, as a count of units. With a total, Muster estimates from it when the handler is done. */
export interface ProgressCounts {
  /** Units that are done. Fractions are cut off; values below 0 count as 0. */
  readonly done: number;
  /** Units in all. Below 0, or left out: not known. */
  readonly total?: number | undefined;
  /** What is counted, such as `rows`; cut at 32 characters. Default: not said. */
  readonly unit?: string | undefined;
}

/** Progress within the limits of the contract, as it passes between threads. */
export interface ReportedProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string;
  readonly counts?: Required<ProgressCounts>;
}

export function reportedProgress(progress: number | ProgressCounts, message: string): ReportedProgress {
  const text = cut(message, MAX_MESSAGE);
  if (typeof progress !== 'object') return { fraction: shareOf(progress), message: text };
  const done = wholeOf(progress.done);
  const total = Number(progress.total) >= 0 ? wholeOf(progress.total) : undefined;
  const fraction = total === undefined ? 0 : total === 0 ? 1 : Math.min(1, done / total);
  return { fraction, message: text, counts: { done, total, unit: cut(progress.unit ?? '', MAX_UNIT) } };
}

export function progressMessage({ fraction, message, counts }: ReportedProgress): Progress {
  return {
    $typeName: 'muster.v1.Progress',
    fraction,
    message,
    unit: counts?.unit ?? '',
    ...(counts && { done: BigInt(counts.done) }),
    ...(counts?.total !== undefined && { total: BigInt(counts.total) }),
  };
}

function shareOf(fraction: unknown): number {
  const share = Number(fraction);
  return share > 0 ? Math.min(1, share) : 0;
}

/** Callers without types may pass anything. */
function wholeOf(count: unknown): number {
  const whole = Math.floor(Number(count));
  return whole > 0 ? Math.min(Number.MAX_SAFE_INTEGER, whole) : 0;
}

function cut(text: string, max: number): string {
  return text.slice(0, max).toWellFormed();
}
