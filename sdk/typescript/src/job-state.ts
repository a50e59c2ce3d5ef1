/** Names of job states, and which of them are terminal. */
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

/** The state's name, such as `RUNNING`. A state that this release does not know is given as its number. */
export function stateName(state: JobState): string {
  return JobStateSchema.value[state]?.localName ?? String(state);
}
