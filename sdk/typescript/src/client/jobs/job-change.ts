/** Converts changes of a waiting job to the message of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { UpdateJobRequestSchema } from '../../gen/muster/v1/job_service_pb.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions } from '../../options/known-options.ts';

/** Changes of a waiting job. At least one field must be set. */
export interface JobChange {
  /** From -100 to 100; higher runs sooner. */
  readonly priority?: number;
  /** Not before this time. A time in the past lets the job run at once. */
  readonly runTime?: Date;
  /** The job expires when it has not started by this time. */
  readonly expireTime?: Date;
}

const known: Known<JobChange> = { priority: true, runTime: true, expireTime: true };

/** @throws TypeError when a field is unknown. */
export function jobChange(change: JobChange): MessageInitShape<typeof UpdateJobRequestSchema> {
  refuseUnknownOptions('update', change, known);
  const { priority, runTime, expireTime } = change;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(runTime === undefined ? {} : { runTime: timestampFromDate(runTime) }),
    ...(expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) }),
  };
}
