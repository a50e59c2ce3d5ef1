/**
 * Whether the machine disturbed a case. Cases run in real time: if other programs take the processors, heartbeats are
 * late and calls miss their deadlines, so credits become void and the case changes, without a fault of the worker.
 */

import { OwnLateness } from './clocks/own-lateness.ts';
import { ProcessorWait } from './clocks/processor-wait.ts';
import type { Lab } from './lab.ts';

/** Below the tolerance of the cases. */
const MAX_LATE_MS = 200;
/** Within a second. */
const MAX_WAIT_MS = 250;

/** Watches one run of a case, from its creation. */
export interface DisturbanceWatch {
  /** Description of the disturbance; undefined: none. */
  seen(): string | undefined;
  close(): void;
}

export function watchDisturbance(lab: Lab): DisturbanceWatch {
  const lateness = new OwnLateness();
  // The worker's start does not count: nothing is due before it has a session.
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
