/** Words for the progress that a handler reports. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Progress } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { spanText } from './times.ts';

/**
 * Such as `40 % copying`, or for units `40 %, 400 of 1000 rows, about 2m 30s left: copying`; without a total
 * `400 rows: copying`.
 *
 * @param nowMs Undefined: without the time left.
 */
export function reportedText(progress: Progress, nowMs?: number): string {
  const { fraction, message, done, total } = progress;
  const share = `${Math.floor(fraction * 100)} %`;
  if (done === undefined) return [share, message].join(' ').trimEnd();
  const counted = countsText(progress, nowMs);
  return withMessage(total === undefined ? counted : `${share}, ${counted}`, message);
}

/** Without the share, which a bar shows. */
export function barText(progress: Progress, nowMs: number): string {
  return progress.done === undefined ? progress.message : withMessage(countsText(progress, nowMs), progress.message);
}

function countsText({ done, total, unit, estimatedEndTime }: Progress, nowMs?: number): string {
  const counted = [`${done}`, total === undefined ? '' : `of ${total}`, unit].filter((part) => part !== '').join(' ');
  const leftMs = estimatedEndTime && nowMs !== undefined ? timestampMs(estimatedEndTime) - nowMs : 0;
  return leftMs > 0 ? `${counted}, about ${spanText(leftMs)} left` : counted;
}

function withMessage(text: string, message: string): string {
  return message === '' ? text : `${text}: ${message}`;
}
