/** Which jobs a caller means, as the message that the server takes. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { JobState } from '../gen/muster/v1/job_pb.ts';

/** Every condition that is given must hold; none at all means every job of the namespace. */
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
  /** Only jobs of the steps of this workflow's job, by its id. */
  readonly parentJobId?: string;
}

/** Fits a `JobFilter` message and every request that has the same fields. */
export function jobFilter(filter: JobFilter) {
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
