/** The wall clock of a time zone, and the gaps in it. */
import { CronDate } from 'croner';

export interface Gap {
  /** When the clock jumps, in ms since 1970. */
  readonly endMs: number;
  /** What the clock would show then without the jump, and what it shows, as if it were UTC. */
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

export interface ZoneClock {
  /** What the clock shows, as if it were UTC. */
  wallAt(ms: number): number;
  /** The gap that has this time of the wall clock. Undefined: the clock shows it. */
  gapAround(wallMs: number): Gap | undefined;
}

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

export function zoneClock(timeZone: string): ZoneClock {
  const wallAt = (ms: number): number => {
    const shown = new CronDate(new Date(ms), timeZone);
    shown.tz = 'UTC';
    return shown.getTime();
  };
  const offsetAt = (ms: number) => wallAt(ms) - ms;

  function gapAround(wallMs: number): Gap | undefined {
    // No zone changes its clock twice within two days, so these are the offsets on both sides of a gap.
    const before = offsetAt(wallMs - DAY_MS);
    const after = offsetAt(wallMs + DAY_MS);
    if (after <= before || wallAt(wallMs - before) === wallMs || wallAt(wallMs - after) === wallMs) return undefined;
    const endMs = changeBetween(wallMs - DAY_MS, wallMs + DAY_MS, before);
    return { endMs, fromWallMs: endMs + before, toWallMs: endMs + after };
  }

  /** The first second with another offset. */
  function changeBetween(fromMs: number, toMs: number, offset: number): number {
    let [low, high] = [Math.floor(fromMs / SECOND_MS), Math.ceil(toMs / SECOND_MS)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * SECOND_MS) === offset) low = middle;
      else high = middle;
    }
    return high * SECOND_MS;
  }

  return { wallAt, gapAround };
}
