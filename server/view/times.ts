/** Words for times, spans and counts. */
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A span in its two largest units, such as `2d 3h`; below ten seconds with tenths. */
export function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [unit, size] = UNITS[at] ?? UNITS[3];
  const text = `${Math.floor(ms / size)}${unit}`;
  const next = UNITS[at + 1];
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  return next && rest > 0 ? `${text} ${rest}${next[0]}` : text;
}

/** Time since, in one unit, for a narrow column. */
export function ageAt(time: Timestamp | undefined, nowMs: number): string {
  if (time === undefined) return '';
  return spanText(nowMs - timestampDate(time).getTime()).split(' ')[0] ?? '';
}

/** The time itself, and its distance from now. */
export function timeAt(time: Timestamp | undefined, nowMs: number): string {
  if (time === undefined) return '';
  const date = timestampDate(time);
  const ms = date.getTime() - nowMs;
  return `${date.toISOString()} (${ms > 0 ? `in ${spanText(ms)}` : `${spanText(-ms)} ago`})`;
}

/** A span of the contract; empty if unset. */
export function durationText(duration: Duration | undefined): string {
  return duration === undefined ? '' : spanText(Number(duration.seconds) * 1_000 + duration.nanos / 1_000_000);
}

/** The span between two times; empty while one of them is unset. */
export function spanBetween(from: Timestamp | undefined, to: Timestamp | undefined): string {
  if (from === undefined || to === undefined) return '';
  return spanText(timestampDate(to).getTime() - timestampDate(from).getTime());
}

/** A number of things, such as `1 job` or `12,000 jobs`. */
export function countText(count: number, thing: string): string {
  return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}
