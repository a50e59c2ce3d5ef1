/** Jobs as callers name them. */

/** A job's id, or anything that carries it. */
export type JobRef = string | { readonly jobId: string };

export function idOf(job: JobRef): string {
  return typeof job === 'string' ? job : job.jobId;
}
