/** Times as seen now. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { ageAt, timeAt } from '../../view/times.ts';

/** Time since, in one unit, for a narrow column. */
export function ageText(time: Timestamp | undefined): string {
  return ageAt(time, Date.now());
}

/** The time itself, and its distance from now. */
export function timeText(time: Timestamp | undefined): string {
  return timeAt(time, Date.now());
}
