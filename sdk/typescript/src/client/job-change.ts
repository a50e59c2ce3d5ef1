/** What a caller changes in a job that waits, as the message that the server takes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { UpdateJobRequestSchema } from '../gen/muster/v1/job_service_pb.ts';

/** At least one of them. */
export interface JobChange {
  /** From -100 to 100; higher runs sooner. */
  readonly priority?: number;
  /** Not before this time. One that has passed lets the job run at once. */
  readonly runTime?: Date;
  /** The job expires when it has not been started by then. */
  readonly expireTime?: Date;
}

export function jobChange({
  priority,
  runTime,
  expireTime,
}: JobChange): MessageInitShape<typeof UpdateJobRequestSchema> {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(runTime === undefined ? {} : { runTime: timestampFromDate(runTime) }),
    ...(expireTime === undefined ? {} : { expireTime: timestampFromDate(expireTime) }),
  };
}
