/** Identity of events: every change of a job raises its revision, so job id and revision identify the event. */

/** Stable across repeated deliveries of the event, and unique in the job's namespace. */
export function eventId({ jobId, revision }: { readonly jobId: string; readonly revision: number }): string {
  return `${jobId}/${revision}`;
}
