/** What tells events apart: a change of a job raises its revision, so the two of them name it. */

/** The same however often the event is told, and of no other event in the job's namespace. */
export function eventId({ jobId, revision }: { readonly jobId: string; readonly revision: number }): string {
  return `${jobId}/${revision}`;
}
