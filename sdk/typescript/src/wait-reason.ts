/** Names of wait reasons. */
import { WaitReason, WaitReasonSchema } from './gen/muster/v1/job_pb.ts';

/** The reason's name, such as `QUEUE_PAUSED`. An unknown reason is given as its number, none as an empty string. */
export function waitReasonName(reason: WaitReason): string {
  if (reason === WaitReason.UNSPECIFIED) return '';
  return WaitReasonSchema.value[reason]?.localName ?? String(reason);
}
