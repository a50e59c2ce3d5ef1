/** What jobs wait for, in words. */
import { WaitReason, WaitReasonSchema } from './gen/muster/v1/job_pb.ts';

/** The reason's name, such as `QUEUE_PAUSED`; its number when this release does not know it. Empty for none. */
export function waitReasonName(reason: WaitReason): string {
  if (reason === WaitReason.UNSPECIFIED) return '';
  return WaitReasonSchema.value[reason]?.localName ?? String(reason);
}
