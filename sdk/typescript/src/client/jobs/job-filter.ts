/** Converts a caller's job filter to the message of the contract. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { JobState } from '../../gen/muster/v1/job_pb.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions } from '../../options/known-options.ts';

/** Jobs match when all given conditions hold. A filter without conditions matches every job of the namespace. */
export interface JobFilter {
  /** Only jobs in these states. */
  readonly states?: readonly JobState[];
  /** Only jobs of this definition. */
  readonly definition?: string;
  /** Only jobs of this queue. */
  readonly queue?: string;
  /** Only jobs that carry all of these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Only jobs made at or after this time. */
  readonly minCreateTime?: Date;
  /** Only jobs made before this time. */
  readonly maxCreateTime?: Date;
  /** Only jobs whose failure has one of these types. At most 64. */
  readonly failureTypes?: readonly string[];
  /** Only jobs of the steps of the workflow with this job id. */
  readonly parentJobId?: string;
  /** Only jobs that have missed their soft deadline. Default: false. */
  readonly softDeadlineMissed?: boolean;
}

const known: Known<JobFilter> = {
  states: true,
  definition: true,
  queue: true,
  labels: true,
  minCreateTime: true,
  maxCreateTime: true,
  failureTypes: true,
  parentJobId: true,
  softDeadlineMissed: true,
};

/**
 * The message `JobFilter`.
 *
 * @param call The call, for errors.
 * @throws TypeError when a condition is unknown.
 */
export function jobFilter(call: string, filter: JobFilter) {
  refuseUnknownOptions(call, filter, known);
  const { states = [], labels = {}, failureTypes = [], minCreateTime, maxCreateTime, ...same } = filter;
  return {
    ...same,
    states: [...states],
    labels: { ...labels },
    failureTypes: [...failureTypes],
    ...(minCreateTime === undefined ? {} : { minCreateTime: timestampFromDate(minCreateTime) }),
    ...(maxCreateTime === undefined ? {} : { maxCreateTime: timestampFromDate(maxCreateTime) }),
  };
}
