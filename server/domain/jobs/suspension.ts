/** Stopping the attempt of a job that continues later: what is wanted, and the end of its grace period. */

import type { JobState } from './job-state.ts';
import type { Continue, OpenRun, Suspension } from './run.ts';

/** Codes as stored in SQL: those of the states. */
export const suspensionTargets = { READY: 3, PAUSED: 4 } as const;

/** States in which a suspension is still to come. */
const awaiting: ReadonlySet<JobState> = new Set(['ASSIGNED', 'RUNNING', 'WAITING']);

/** What is left of it in the job's next state. */
export function suspensionIn(state: JobState, suspension: Suspension | null): Suspension | null {
  return awaiting.has(state) ? suspension : null;
}

/** What is left of the grace period. */
export function graceLeftMs(untilUs: number, nowUs: number): number {
  return Math.max(0, Math.ceil((untilUs - nowUs) / 1000));
}

/** Its next attempt must wait until somebody resumes it. */
export function pausesNext(run: Pick<OpenRun, 'suspension'>): boolean {
  return run.suspension?.to === 'PAUSED';
}

/** The reason of a job that is paused instead of continuing as it would have; both may be known. */
export function reasonOfPause(run: Pick<OpenRun, 'reason'>, usual: string | null | undefined): string {
  const asked = run.reason ?? 'paused on request';
  return usual ? `${asked}; ${usual}` : asked;
}

export type ClosedBySuspension = Required<Pick<Continue, 'suspensions' | 'closed'>>;

/** The attempt ends without counting. */
export function closedBySuspension(run: Pick<OpenRun, 'suspensions'>): ClosedBySuspension {
  return { suspensions: run.suspensions + 1, closed: { outcome: 'SUSPENDED', counted: false } };
}
