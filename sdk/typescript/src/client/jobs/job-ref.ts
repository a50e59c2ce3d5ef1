/** References to jobs. */

/** A job's id, or any object that has it. */
export type JobRef = string | { readonly jobId: string };

export function idOf(job: JobRef): string {
  return typeof job === 'string' ? job : job.jobId;
}
