/** Which jobs a caller means: every condition that is set must hold. */
import { isTerminal, type JobState, stateCodes } from './job-state.ts';

export interface JobFilter {
  /** Empty: all. */
  readonly states: readonly JobState[];
  readonly definition?: string | undefined;
  readonly queue?: string | undefined;
  /** All of them, with these values. */
  readonly labels: Readonly<Record<string, string>>;
  /** Microseconds on the database's clock. Made at or after. */
  readonly minCreateTimeUs?: number | undefined;
  /** Made before. */
  readonly maxCreateTimeUs?: number | undefined;
  /** The failure that ended the job has one of these types. Empty: whatever it is, if there is one at all. */
  readonly failureTypes: readonly string[];
  /** The job is of a step of this workflow's. */
  readonly parentJobId?: string | undefined;
}

export const everyJob: JobFilter = { states: [], labels: {}, failureTypes: [] };

/** The states that a job which matches can have; none at all when the conditions exclude each other. */
export function statesOf(filter: JobFilter): JobState[] {
  const { states, failureTypes } = filter;
  const asked = states.length > 0 ? [...new Set(states)] : (Object.keys(stateCodes) as JobState[]);
  // Only the end of a job leaves it a failure; those of single attempts are not looked at.
  return failureTypes.length > 0 ? asked.filter((state) => isTerminal(state) && state !== 'SUCCEEDED') : asked;
}
