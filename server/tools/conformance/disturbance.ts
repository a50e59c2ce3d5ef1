/**
 * Whether the machine disturbed a case. Cases are of real time: where others take the processors, beats come late and calls miss their
 * deadlines, which makes credits void and of the case another one, and is no fault of the worker's.
 */

import { OwnLateness } from './clocks/own-lateness.ts';
import { ProcessorWait } from './clocks/processor-wait.ts';
import type { Lab } from './lab.ts';

/** What cases allow for is more. */
const MAX_LATE_MS = 200;
/** Within a second. */
const MAX_WAIT_MS = 250;

/** Looks at one run of a case from when it is made. */
export interface DisturbanceWatch {
  /** What was seen, for people; undefined: nothing. */
  seen(): string | undefined;
  close(): void;
}

export function watchDisturbance(lab: Lab): DisturbanceWatch {
  const lateness = new OwnLateness();
  // Its start takes what it takes: nothing is due before it has a session.
  const wait = new ProcessorWait(() => lab.plane.session && lab.process?.pid);
  return {
    seen: () => disturbanceText(lateness.worstMs, wait.worstMs),
    close: () => {
      lateness.close();
      wait.close();
    },
  };
}

export function disturbanceText(lateMs: number, waitMs: number): string | undefined {
  const seen: string[] = [];
  if (lateMs > MAX_LATE_MS) seen.push(`the kit's own loop was ${Math.round(lateMs)} ms late`);
  if (waitMs > MAX_WAIT_MS) seen.push(`the worker waited ${Math.round(waitMs)} ms within a second for a processor`);
  return seen.length === 0 ? undefined : seen.join(', ');
}
