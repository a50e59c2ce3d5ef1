/** Selects jobs: every condition that is set must match. */
import { lowestUuid } from '../base/uuid.ts';
import { isTerminal, type JobState, stateCodes } from './job-state.ts';

export interface JobFilter {
  /** Empty: all. */
  readonly states: readonly JobState[];
  readonly definition?: string | undefined;
  readonly queue?: string | undefined;
  /** The job must have all of these labels with these values. */
  readonly labels: Readonly<Record<string, string>>;
  /** Created at or after this time, in microseconds on the database's clock. */
  readonly minCreateTimeUs?: number | undefined;
  /** Created before this time. */
  readonly maxCreateTimeUs?: number | undefined;
  /** The type of the failure that ended the job is one of these. Empty: no condition. */
  readonly failureTypes: readonly string[];
  /** The job runs a step of this workflow. */
  readonly parentJobId?: string | undefined;
  /** The job has missed its soft deadline. */
  readonly softDeadlineMissed?: boolean | undefined;
}

export const everyJob: JobFilter = { states: [], labels: {}, failureTypes: [] };

/** The states that a matching job can have; empty if the conditions exclude each other. */
export function statesOf(filter: JobFilter): JobState[] {
  const { states, failureTypes } = filter;
  const asked = states.length > 0 ? [...new Set(states)] : (Object.keys(stateCodes) as JobState[]);
  // Only a job's end stores a failure on the job; failures of single attempts are not searched.
  return failureTypes.length > 0 ? asked.filter((state) => isTerminal(state) && state !== 'SUCCEEDED') : asked;
}

/** Max difference between a job's id and its `create_time`: an id is made before its flush, by the replica's clock. */
const ID_SLACK_MS = 60_000;
const HIGHEST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The lowest and, exclusive, the highest id that a job made in the filter's window can have. */
export function idBounds({ minCreateTimeUs, maxCreateTimeUs }: JobFilter): [string, string] {
  const lowest = minCreateTimeUs === undefined ? 0 : Math.max(0, Math.floor(minCreateTimeUs / 1000) - ID_SLACK_MS);
  if (maxCreateTimeUs === undefined) return [lowestUuid(lowest), HIGHEST_UUID];
  return [lowestUuid(lowest), lowestUuid(Math.ceil(maxCreateTimeUs / 1000) + ID_SLACK_MS)];
}
