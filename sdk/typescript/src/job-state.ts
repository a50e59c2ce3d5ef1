/** What the states of a job mean to a caller. */
import { JobState, JobStateSchema } from './gen/muster/v1/job_pb.ts';

const TERMINAL: ReadonlySet<JobState> = new Set([
  JobState.SUCCEEDED,
  JobState.FAILED,
  JobState.CANCELLED,
  JobState.EXPIRED,
  JobState.SKIPPED,
]);

/** Whether a job in this state never changes again. */
export function isTerminal(state: JobState): boolean {
  return TERMINAL.has(state);
}

/** The state's name, such as `RUNNING`; its number when this release does not know it. */
export function stateName(state: JobState): string {
  return JobStateSchema.value[state]?.localName ?? String(state);
}
